import { createConnection } from 'node:net';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Line, LineEvents, Listener } from '../ports/channel';
import { localChannel } from './local-channel';

const channel = localChannel();
let folder: string;
const listeners: Listener[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'channel-'));
});
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Remembers what a line says; `next` waits for the next thing. */
class Heard implements LineEvents {
  private readonly words: string[] = [];
  private wake: () => void = () => undefined;
  onMessage = (message: string): void => {
    this.words.push(message);
    this.wake();
  };
  onClose = (): void => {
    this.onMessage('(closed)');
  };
  async next(): Promise<string> {
    for (;;) {
      const word = this.words.shift();
      if (word !== undefined) return word;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

async function listen(at: string): Promise<{ listener: Listener; heard: Heard; lines: Line[] }> {
  const heard = new Heard();
  const lines: Line[] = [];
  const listener = await channel.listen(at, (line) => {
    lines.push(line);
    return heard;
  });
  listeners.push(listener);
  return { listener, heard, lines };
}

describe('a channel between processes', () => {
  it('carries messages both ways, in order, whatever is in them but a line break', async () => {
    const { listener, heard, lines } = await listen(folder);
    const answer = new Heard();
    const line = await channel.connect(listener.address, answer);
    for (const text of ['1', '{"ä":"\\n"}', '']) line?.send(text);
    expect([await heard.next(), await heard.next(), await heard.next()]).toEqual([
      '1',
      '{"ä":"\\n"}',
      '',
    ]);
    lines[0]?.send('x'.repeat(200_000));
    expect(await answer.next()).toHaveLength(200_000);
  });

  it('tells both ends when one of them hangs up', async () => {
    const { listener, heard, lines } = await listen(folder);
    const first = await channel.connect(listener.address, new Heard());
    first?.send('hello');
    expect(await heard.next()).toBe('hello');
    first?.close();
    expect(await heard.next()).toBe('(closed)');
    lines[0]?.send('into the void');
    const answer = new Heard();
    await channel.connect(listener.address, answer);
    listener.close();
    expect(await answer.next()).toBe('(closed)');
    expect(await channel.connect(listener.address, new Heard())).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is nowhere to be reached where nobody listens', async () => {
    for (const address of ['unix:/nowhere/at/all', 'tcp:1:00', 'post:1', '']) {
      expect(await channel.connect(address, new Heard())).toBeNull();
    }
  });

  it('finds a short place for its socket when the folder has a long name', async () => {
    const deep = join(folder, 'd'.repeat(120));
    mkdirSync(deep);
    const { listener, heard } = await listen(deep);
    const line = await channel.connect(listener.address, new Heard());
    line?.send('hello');
    expect(await heard.next()).toBe('hello');
    expect(readdirSync(deep)).toEqual([]);
  });

  it('falls back on a loopback port, and hears only those who know its secret', async () => {
    const { listener, heard, lines } = await listen(join(folder, 'missing'));
    const [, port = ''] = /^tcp:(\d+):[0-9a-f]{32}$/.exec(listener.address) ?? [];
    const stranger = createConnection(Number(port), '127.0.0.1');
    stranger.write('let me in\n');
    await once(stranger, 'close');
    expect(lines).toEqual([]);
    const line = await channel.connect(listener.address, new Heard());
    line?.send('hello');
    expect(await heard.next()).toBe('hello');
  });
});
