import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { openJournal } from './journal';
import { encodeRecord } from './journal-codec';
import { readEntries, readJournal } from './read-journal';

const task = parseTaskId('landing');
const failed = (at: number, tail: string): RunEvent => ({
  type: 'task:failed',
  at,
  task,
  failure: { kind: 'agent-exit', code: 1, tail },
});

describe('reading a journal with nobody running', () => {
  const files = nodeFileSystem();
  let dir: string;
  const segment = (): string => join(dir, 'journal-000001.log');
  const write = async (events: readonly RunEvent[]): Promise<void> => {
    const journal = await openJournal({ fs: files, clock: nodeClock(), dir, writer: '1.a' });
    await journal.append(events);
    await journal.close();
  };
  const appendRaw = (...values: readonly unknown[]): void => {
    for (const value of values) fs.appendFileSync(segment(), encodeRecord(JSON.stringify(value)));
  };

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'read-journal-'));
  });
  afterEach(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('gives nothing for a run that has no journal, and creates nothing', async () => {
    const missing = join(dir, 'no');
    expect(await readJournal(files, missing)).toEqual({ events: [], damage: [], later: null });
    expect(fs.existsSync(missing)).toBe(false);
  });

  it('gives the events and how much was damaged', async () => {
    await write([failed(1, ''), failed(2, '')]);
    fs.appendFileSync(segment(), '\x1etorn');
    await write([failed(3, '')]);
    const { events, damage } = await readJournal(files, dir);
    expect(events.map(({ at }) => at)).toEqual([1, 2, 3]);
    expect(damage).toEqual([
      {
        segment: 'journal-000001.log',
        offset: expect.any(Number) as number,
        bytes: 5,
        kind: 'torn',
      },
    ]);
  });

  it('passes on events it does not know, as they are', async () => {
    const event = { type: 'task:teleported', at: 5, where: { x: 1 } };
    appendRaw({ v: 1, by: 'later', more: true, event });
    expect(await readJournal(files, dir)).toEqual({ events: [event], damage: [], later: null });
  });

  it('skips records of a later format, and tells which release wrote them', async () => {
    const head = { app: '7.8.9', follows: null, cause: 'first' };
    await write([failed(1, '')]);
    appendRaw({ v: 1, by: 'later', head, event: { type: 'journal:segment' } });
    appendRaw({ v: 3, by: 'later', event: { type: 'task:landed', at: 2 } });
    const { events, later } = await readJournal(files, dir);
    expect(events).toHaveLength(1);
    expect(later).toEqual({ segment: 'journal-000001.log', version: 3, app: '7.8.9' });
  });

  it('leaves a segment head out of the events, with or without what it does not know of it', async () => {
    const head = { app: '7.8.9', follows: null, cause: 'new-cause', more: [1] };
    appendRaw({ v: 1, by: 'later', head, event: { type: 'journal:segment', at: 1 } });
    expect(await readJournal(files, dir)).toEqual({ events: [], damage: [], later: null });
  });

  it('skips records that hold no event', async () => {
    appendRaw(
      null,
      7,
      'text',
      [],
      {},
      { by: 'x' },
      { by: 'x', event: { at: 1 } },
      { by: 1, event: {} },
    );
    appendRaw({ v: 1, by: 'x', event: { type: 'a' }, blob: 7 });
    const { events, damage } = await readJournal(files, dir);
    expect(events).toEqual([]);
    expect(damage.map(({ kind }) => kind)).toEqual(new Array(9).fill('unreadable'));
  });

  it('skips an event whose blob is gone, changed, or named like a path', async () => {
    await write([
      failed(1, 'x'.repeat(5000)),
      failed(2, 'y'.repeat(5000)),
      failed(3, 'z'.repeat(5000)),
    ]);
    const blobs = fs.readdirSync(join(dir, 'blobs')).map((name) => join(dir, 'blobs', name));
    const holding = (text: string): string =>
      blobs.find((path) => fs.readFileSync(path, 'utf8').includes(text)) ?? '';
    const [first, second] = [holding('xxx'), holding('yyy')];
    fs.rmSync(first);
    fs.appendFileSync(second, ' ');
    fs.writeFileSync(join(dir, 'secret.json'), '{"type":"a"}');
    appendRaw({ v: 1, by: 'x', event: { type: 'a' }, blob: '../secret' });
    const { events, damage } = await readJournal(files, dir);
    expect(events).toEqual([failed(3, 'z'.repeat(5000))]);
    expect(damage).toHaveLength(3);
  });

  it('goes on from a cursor, also across a record that was half there', async () => {
    await write([failed(1, '')]);
    const record = encodeRecord(JSON.stringify({ v: 1, by: 'b', event: { type: 'x', at: 2 } }));
    fs.appendFileSync(segment(), record.subarray(0, 20));
    const first = await readEntries(files, dir, new Map());
    expect(first.entries.map(({ writer }) => writer)).toEqual(['1.a']);
    fs.appendFileSync(segment(), record.subarray(20));
    const second = await readEntries(files, dir, first.cursor);
    expect(second.entries).toEqual([{ writer: 'b', event: { type: 'x', at: 2 } }]);
    expect((await readEntries(files, dir, second.cursor)).entries).toEqual([]);
  });

  it('reads a journal cut at any byte without a throw or an invented event', async () => {
    const events = Array.from({ length: 12 }, (_, n) => failed(n, 'x'.repeat(n === 5 ? 5000 : n)));
    await write(events);
    const bytes = fs.readFileSync(segment());
    let most = 0;
    for (let cut = 0; cut <= bytes.length; cut += 3) {
      fs.writeFileSync(segment(), bytes.subarray(0, cut));
      const read = (await readJournal(files, dir)).events;
      expect(read).toEqual(events.slice(0, read.length));
      expect(read.length).toBeGreaterThanOrEqual(most);
      most = read.length;
    }
    expect(most).toBeGreaterThanOrEqual(11);
  });
});
