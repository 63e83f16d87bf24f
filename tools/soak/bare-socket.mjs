/**
 * The limit a lock table behind a unix socket cannot pass: one process answers lines with lines of the
 * same sizes as those of the leases, in as few writes; it decides nothing, parses nothing and writes no
 * file. What this machine does beyond that is the table's own.
 */
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers';
import { now } from './lock-store.mjs';

/** Bytes of an `acquire`, of a `granted` and of a `released`, as the workers here say them. */
const SIZES = { ask: 300, grant: 100, release: 40 };
const ASK = `a${'.'.repeat(SIZES.ask - 2)}\n`;
const GRANT = `${'g'.repeat(SIZES.grant - 1)}\n`;
const RELEASE = `r${'.'.repeat(SIZES.release - 2)}\n`;

/** Calls `hear` for every line. */
function eachLine(socket, hear) {
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) hear(line);
  });
}

/** What is said in one turn leaves in one write. */
function sender(socket) {
  let out = '';
  return (line) => {
    if (out === '') {
      setImmediate(() => {
        socket.write(out, 'latin1');
        out = '';
      });
    }
    out += line;
  };
}

const pathIn = (folder) => join(folder, 'bare.sock');

/** Answers every `ask` with a `grant`; resolves with the server when it listens. */
export async function serveBare(folder) {
  const server = createServer((socket) => {
    const send = sender(socket);
    socket.on('error', () => socket.destroy());
    eachLine(socket, (line) => {
      if (line.startsWith('a')) send(GRANT);
    });
  });
  server.listen(pathIn(folder));
  await once(server, 'listening');
  return server;
}

/** Says `ask`, waits for the answer, says `release`, `operations` times. */
export async function useBareSocket(folder, operations) {
  const cpu = process.cpuUsage();
  const socket = createConnection(pathIn(folder));
  await once(socket, 'connect');
  const send = sender(socket);
  const wait = [];
  let answered = () => undefined;
  eachLine(socket, () => answered());
  for (let at = 0; at < operations; at += 1) {
    const asked = now();
    const answer = new Promise((done) => {
      answered = done;
    });
    send(ASK);
    await answer;
    wait.push(now() - asked);
    send(RELEASE);
  }
  const finished = now();
  const { user, system } = process.cpuUsage(cpu);
  return { held: [], wait, finished, cpuMs: (user + system) / 1000 };
}
