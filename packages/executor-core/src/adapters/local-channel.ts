import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, createConnection, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Channel, Line, LineEvents, Listener } from '../ports/channel';
import { scratchPrefix } from './scratch';

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, the final zero included. */
const LONGEST_PATH = 100;
const CONNECT_PATIENCE_MS = 1_000;
const LINE_BREAK = 0x0a;
/** A peer that sends this much without a line break is none of ours. */
const LONGEST_MESSAGE = 4 * 1024 * 1024;

/**
 * Unix sockets; where there are none (an odd file system, Windows), a loopback port. Its address then
 * carries a secret that a caller has to say first, because any user can reach the port.
 *
 * Addresses: `unix:<path>`, `tcp:<port>:<secret>`.
 */
export function localChannel(): Channel {
  return {
    async listen(folder, accept) {
      return (await listenUnix(folder, accept)) ?? listenLoopback(accept);
    },
    connect,
  };
}

async function listenUnix(folder: string, accept: Accept): Promise<Listener | null> {
  const name = `leader-${process.pid}-${randomBytes(4).toString('hex')}.sock`;
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return tryListen(path, null, accept);
  try {
    const short = mkdtempSync(join(tmpdir(), scratchPrefix('socket')));
    const listener = await tryListen(join(short, 's'), short, accept);
    if (listener === null) rmSync(short, { recursive: true, force: true });
    return listener;
  } catch {
    return null;
  }
}

type Accept = (line: Line) => LineEvents;

async function tryListen(
  path: string,
  ownFolder: string | null,
  accept: Accept,
): Promise<Listener | null> {
  const sockets = new SocketSet();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, accept);
  });
  if (!(await opened(server, () => server.listen(path)))) return null;
  return {
    address: `unix:${path}`,
    close() {
      sockets.close(server);
      if (ownFolder !== null) rmSync(dirname(path), { recursive: true, force: true });
    },
  };
}

async function listenLoopback(accept: Accept): Promise<Listener> {
  const secret = randomBytes(16).toString('hex');
  const sockets = new SocketSet();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, accept, secret);
  });
  if (!(await opened(server, () => server.listen(0, '127.0.0.1')))) {
    throw new Error('Neither a unix socket nor a loopback port can be listened at.');
  }
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    address: `tcp:${port}:${secret}`,
    close: () => {
      sockets.close(server);
    },
  };
}

async function connect(address: string, events: LineEvents): Promise<Line | null> {
  const [, port, secret] = /^tcp:(\d+):([0-9a-f]+)$/.exec(address) ?? [];
  const [, path] = /^unix:(.+)$/s.exec(address) ?? [];
  if (path === undefined && port === undefined) return null;
  const socket =
    path === undefined ? createConnection(Number(port), '127.0.0.1') : createConnection(path);
  const isOpen = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, CONNECT_PATIENCE_MS, false);
    const settle = (open: boolean) => () => {
      clearTimeout(timer);
      resolve(open);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
  if (!isOpen) {
    socket.destroy();
    return null;
  }
  const line = lineOf(socket);
  if (secret !== undefined) line.send(secret);
  attend(socket, () => events);
  return line;
}

function serve(socket: Socket, accept: Accept, secret?: string): void {
  const line = lineOf(socket);
  let events = secret === undefined ? accept(line) : null;
  attend(socket, () => ({
    onMessage(message) {
      if (events !== null) events.onMessage(message);
      else if (message === secret) events = accept(line);
      else socket.destroy();
    },
    onClose: () => events?.onClose(),
  }));
}

/** What is sent in one turn leaves in one write. */
function lineOf(socket: Socket): Line {
  let out = '';
  const flush = (): void => {
    const text = out;
    out = '';
    if (text !== '' && socket.writable) socket.write(text);
  };
  return {
    send(message) {
      if (out === '') setImmediate(flush);
      out += `${message}\n`;
    },
    close() {
      flush();
      socket.destroySoon();
    },
  };
}

function attend(socket: Socket, eventsOf: () => LineEvents): void {
  const events = eventsOf();
  const reader = new LineReader();
  socket.unref();
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    events.onClose();
  });
  socket.on('data', (bytes: Buffer) => {
    for (const message of reader.read(bytes)) events.onMessage(message);
    if (reader.pending > LONGEST_MESSAGE) socket.destroy();
  });
}

/** Decodes whole lines only, so that no character is torn. */
class LineReader {
  private parts: Buffer[] = [];
  /** Bytes of the line that has only begun. */
  pending = 0;

  read(bytes: Buffer): readonly string[] {
    const end = bytes.lastIndexOf(LINE_BREAK);
    if (end === -1) {
      this.keep(bytes);
      return [];
    }
    const last = bytes.subarray(0, end);
    const whole = this.pending === 0 ? last : Buffer.concat([...this.parts, last]);
    this.parts = [];
    this.pending = 0;
    if (end + 1 < bytes.length) this.keep(bytes.subarray(end + 1));
    return whole.toString('utf8').split('\n');
  }

  private keep(part: Buffer): void {
    this.parts.push(part);
    this.pending += part.length;
  }
}

function opened(server: Server, listen: () => Server): Promise<boolean> {
  return new Promise((resolve) => {
    server.on('error', () => {
      resolve(false);
    });
    server.once('listening', () => {
      server.unref();
      resolve(true);
    });
    listen();
  });
}

class SocketSet {
  private readonly sockets = new Set<Socket>();

  add(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }

  close(server: Server): void {
    server.close();
    for (const socket of this.sockets) socket.destroySoon();
  }
}
