import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { AppendFile, FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { isDurable, openJournal, writerName } from './journal';
import * as codec from './journal-codec';
import { RECORD_CAP } from './journal-codec';
import { isJournalRecord } from './journal-record';

const task = parseTaskId('landing');
const progress = (at: number, note = ''): RunEvent => ({
  type: 'task:progress',
  at,
  task,
  percent: at,
  note,
});
const landed = (at: number): RunEvent => ({
  type: 'task:landed',
  at,
  task,
  commit: null,
  tree: null,
});

/** The records of events in `bytes`; a segment's head is none. */
const decodeRecords = (bytes: Buffer): { readonly entries: readonly unknown[] } => ({
  entries: codec
    .decodeRecords(bytes)
    .records.map(({ value }) => value)
    .filter((value) => !isJournalRecord(value) || value.head === undefined),
});

describe('the journal', () => {
  const files = nodeFileSystem();
  const clock = nodeClock();
  let dir: string;
  let opened: Journal[];

  const open = async (writer = writerName(process.pid), system: FileSystem = files) => {
    const journal = await openJournal({ fs: system, clock, dir, writer });
    opened.push(journal);
    return journal;
  };
  const segment = (n = 1): string => join(dir, `journal-00000${n}.log`);
  /** Lets the test see and hold the one append file of a journal. */
  const withAppendFile = (change: (file: AppendFile) => AppendFile): FileSystem => ({
    ...files,
    openAppend: async (path) => change(await files.openAppend(path)),
  });

  beforeEach(() => {
    dir = join(fs.mkdtempSync(join(tmpdir(), 'journal-')), 'run');
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((journal) => journal.close()));
    fs.rmSync(join(dir, '..'), { recursive: true, force: true });
  });

  it('reads back what was appended, in order', async () => {
    const journal = await open();
    expect(await journal.read()).toEqual([]);
    await journal.append([progress(1), landed(2)]);
    await journal.append([progress(3)]);
    expect(await journal.read()).toEqual([progress(1), landed(2), progress(3)]);
    expect(await (await open()).read()).toHaveLength(3);
  });

  it('keeps the `by` of an event apart from the writer of the record', async () => {
    const journal = await open('1.writer');
    const events: RunEvent[] = [
      { type: 'task:blocked', at: 1, task, by: parseTaskId('schema') },
      { type: 'task:cancelled', at: 2, task, by: 'kill agent-3' },
    ];
    await journal.append(events);
    expect(await journal.read()).toEqual(events);
    const [record] = decodeRecords(fs.readFileSync(segment())).entries;
    expect(record).toEqual({ v: 1, by: '1.writer', event: events[0] });
  });

  it('keeps the order of appends that were not waited for, blobs among them', async () => {
    const journal = await open();
    const events = Array.from({ length: 40 }, (_, n) =>
      progress(n, n % 7 === 0 ? 'x'.repeat(RECORD_CAP) : ''),
    );
    await Promise.all(events.map((event) => journal.append([event])));
    expect(await journal.read()).toEqual(events);
  });

  it('stores an event over the cap as a blob that is there before its record', async () => {
    const big = progress(1, 'é\n\x1e'.repeat(3000));
    const order: string[] = [];
    const system: FileSystem = {
      ...withAppendFile((file) => ({
        ...file,
        append: (bytes) => {
          if (decodeRecords(bytes).entries.length > 0) order.push('record');
          file.append(bytes);
        },
      })),
      writeAtomic: async (path, content) => {
        await files.writeAtomic(path, content);
        order.push('blob');
      },
    };
    const journal = await open('1.a', system);
    await journal.append([big]);
    await journal.append([big]);
    expect(order).toEqual(['blob', 'record', 'record']);
    expect(await journal.read()).toEqual([big, big]);
    expect(fs.statSync(segment()).size).toBeLessThan(2 * RECORD_CAP);
    expect(fs.readdirSync(join(dir, 'blobs'))).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}\.json$/),
    ]);
    const [record] = decodeRecords(fs.readFileSync(segment())).entries;
    expect(record).toMatchObject({ event: { type: 'task:progress', at: 1, task: 'landing' } });
  });

  it('writes each record by exactly one append', async () => {
    const writes: Buffer[] = [];
    const system = withAppendFile((file) => ({
      ...file,
      append: (bytes) => {
        writes.push(bytes);
        file.append(bytes);
      },
    }));
    await (await open('1.a', system)).append([landed(1), progress(2), landed(3)]);
    expect(writes.map((bytes) => decodeRecords(bytes).entries.length)).toEqual([0, 1, 1, 1]);
  });

  it('syncs for everything but progress and its like', () => {
    expect(isDurable(landed(1))).toBe(true);
    expect(isDurable({ type: 'run:finished' })).toBe(true);
    const fleeting = ['task:progress', 'task:waiting', 'task:merging', 'task:verifying'] as const;
    expect(fleeting.some((type) => isDurable({ type }))).toBe(false);
  });

  it('lets appends that arrive during a sync share the next one', async () => {
    const releases: (() => void)[] = [];
    let size = 0;
    const sizeAtSync: number[] = [];
    const system = withAppendFile((file) => ({
      ...file,
      append: (bytes) => {
        size += decodeRecords(bytes).entries.length;
        file.append(bytes);
      },
      sync: () => {
        sizeAtSync.push(size);
        return new Promise<void>((resolve) => releases.push(resolve));
      },
    }));
    const journal = await open('1.a', system);
    const settled: number[] = [];
    const append = (n: number) => journal.append([landed(n)]).then(() => settled.push(n));
    const turn = () => new Promise((resolve) => setImmediate(resolve));

    const first = append(0);
    await turn();
    const rest = [1, 2, 3, 4].map(append);
    await turn();
    expect([settled, sizeAtSync]).toEqual([[], [1]]);
    releases[0]?.();
    await first;
    await turn();
    expect([settled, sizeAtSync]).toEqual([[0], [1, 5]]);
    releases[1]?.();
    await Promise.all(rest);
    expect(sizeAtSync).toEqual([1, 5]);
    await journal.append([progress(9)]);
    expect(sizeAtSync).toEqual([1, 5]);
  });

  it('appends to the newest segment and reads all of them in order', async () => {
    const first = await open();
    await first.append([landed(1)]);
    fs.writeFileSync(segment(2), '');
    const second = await open();
    await second.append([landed(2)]);
    await first.append([landed(3)]);
    expect(await second.read()).toEqual([landed(1), landed(2), landed(3)]);
    expect(decodeRecords(fs.readFileSync(segment(2))).entries).toHaveLength(2);
  });

  it('finishes what is under way before it closes, and takes nothing afterwards', async () => {
    const journal = await open();
    const under = journal.append([progress(1, 'x'.repeat(RECORD_CAP)), landed(2)]);
    await journal.close();
    await under;
    await expect(journal.append([landed(3)])).rejects.toThrow('closed');
    expect(await (await open()).read()).toHaveLength(2);
    await journal.close();
  });

  it('keeps every acknowledged record of 8 writers that are killed while they write', async () => {
    // Plain JavaScript, so that it also checks the format against a second implementation.
    const script = join(dir, '..', 'writer.cjs');
    fs.writeFileSync(
      script,
      `const { createHash } = require('node:crypto');
       const fs = require('node:fs');
       const [, , path, by] = process.argv;
       const fd = fs.openSync(path, 'a');
       let n = 0;
       const burst = () => {
         for (let i = 0; i < 50; i++) {
           n++;
           const json = JSON.stringify({ v: 1, by, event: { type: 'task:progress', at: n, note: 'x'.repeat((n * 37) % 3900) } });
           const sum = createHash('sha1').update(json).digest('hex').slice(0, 8);
           fs.writeSync(fd, '\\x1e' + sum + ' ' + json + '\\n');
         }
         process.send(n, burst);
       };
       burst();`,
    );
    const journal = await open();
    const names = Array.from({ length: 8 }, (_, n) => `writer-${n}`);
    const acknowledged = new Map<string, number>();
    await Promise.all(
      names.map(async (name, index) => {
        const child = fork(script, [segment(), name]);
        child.on('message', (n: number) => {
          acknowledged.set(name, n);
          if (n >= 100 + 50 * index) child.kill('SIGKILL');
        });
        await once(child, 'close');
      }),
    );
    await journal.append([landed(-1)]);

    const stored = decodeRecords(fs.readFileSync(segment())).entries as {
      by: string;
      event: { at: number; note?: string };
    }[];
    for (const name of names) {
      const own = stored.filter(({ by }) => by === name).map(({ event }) => event);
      expect(own.map(({ at }) => at)).toEqual(own.map((_, n) => n + 1));
      expect(own.length).toBeGreaterThanOrEqual(acknowledged.get(name) ?? Infinity);
      expect(own.every(({ at, note }) => note?.length === (at * 37) % 3900)).toBe(true);
    }
    expect((await journal.read()).at(-1)).toEqual(landed(-1));
  }, 30_000);
});
