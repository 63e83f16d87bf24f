import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { AppendFile, FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { openJournal } from './journal';
import { decodeRecords, encodeRecord } from './journal-codec';
import type { JournalRecord } from './journal-record';
import { JournalRefusal } from './journal-refusal';
import { readJournal } from './read-journal';
import { segmentName } from './run-dir';

const task = parseTaskId('landing');
const landed = (at: number): RunEvent => ({
  type: 'task:landed',
  at,
  task,
  commit: null,
  tree: null,
});
const coded = (code: string): Error => Object.assign(new Error(`${code}: refused`), { code });
const instants = (events: readonly RunEvent[]): number[] => events.map(({ at }) => at);

describe('the segments of a journal', () => {
  const files = nodeFileSystem();
  let dir: string;
  let opened: Journal[];

  const open = async (
    writer: string,
    more: { system?: FileSystem; segmentBytes?: number; onSegment?: (name: string) => void } = {},
  ): Promise<Journal> => {
    const { system = files, ...rest } = more;
    const journal = await openJournal({ fs: system, clock: nodeClock(), dir, writer, ...rest });
    opened.push(journal);
    return journal;
  };
  const segments = (): string[] => fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
  const bytesOf = (n: number): Buffer => fs.readFileSync(join(dir, segmentName(n)));
  const firstOf = (n: number): JournalRecord =>
    decodeRecords(bytesOf(n)).records[0]?.value as JournalRecord;
  /** Files of which each operation asks `trouble` first. */
  const troubled = (
    trouble: (what: 'append' | 'sync' | 'create', path: string) => Error | null,
  ): FileSystem => {
    const ask = (what: 'append' | 'sync' | 'create', path: string): void => {
      const error = trouble(what, path);
      if (error !== null) throw error;
    };
    return {
      ...files,
      createExclusive: async (path, content) => {
        ask('create', path);
        return files.createExclusive(path, content);
      },
      openAppend: async (path): Promise<AppendFile> => {
        const file = await files.openAppend(path);
        return {
          ...file,
          append: (bytes) => {
            ask('append', path);
            file.append(bytes);
          },
          sync: async () => {
            ask('sync', path);
            await file.sync();
          },
        };
      },
    };
  };

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'segments-'));
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((journal) => journal.close()));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('follow each other when one is full, and are read as one', async () => {
    const begun: string[] = [];
    const journal = await open('1.a', { segmentBytes: 600, onSegment: (name) => begun.push(name) });
    for (let n = 1; n <= 20; n++) await journal.append([landed(n)]);
    expect(segments().length).toBeGreaterThan(3);
    expect(begun).toEqual(segments().slice(1));
    expect(instants(await journal.read())).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(firstOf(2)).toMatchObject({
      by: '1.a',
      head: {
        app: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
        cause: 'full',
        follows: { segment: 'journal-000001.log', bytes: bytesOf(1).length },
      },
    });
  });

  it('are begun once by writers that find one full at the same time, and none loses a record', async () => {
    const writers = await Promise.all(
      ['1.a', '2.b', '3.c', '4.d'].map((name) => open(name, { segmentBytes: 500 })),
    );
    for (let n = 0; n < 10; n++) {
      await Promise.all(writers.map((journal, at) => journal.append([landed(10 * n + at)])));
    }
    const read = await readJournal(files, dir);
    expect(read.damage).toEqual([]);
    expect(instants(read.events).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, n) => 10 * Math.floor(n / 4) + (n % 4)),
    );
    const heads = segments().map((_, n) => decodeRecords(bytesOf(n + 1)).records);
    for (const records of heads.slice(1)) {
      const count = records.filter(({ value }) => (value as JournalRecord).head !== undefined);
      expect(count).toHaveLength(1);
    }
  });

  it('go on in the newest one with whoever was late, behind what it could have seen', async () => {
    const [fast, late] = [await open('1.a', { segmentBytes: 300 }), await open('2.b')];
    for (let n = 1; n <= 4; n++) await fast.append([landed(n)]);
    await late.append([landed(5)]);
    expect(instants(await late.read())).toEqual([1, 2, 3, 4, 5]);
  });

  it('are not continued after a failed sync: what was not confirmed is void, and can be given again', async () => {
    let broken = false;
    const system = troubled((what) => (what === 'sync' && broken ? coded('EIO') : null));
    const journal = await open('1.a', { system });
    const other = await open('2.b');
    await journal.append([landed(1)]);
    broken = true;
    const both = await Promise.allSettled([
      journal.append([landed(2)]),
      journal.append([landed(3)]),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await other.append([landed(4)]);
    broken = false;
    const before = bytesOf(1);
    await journal.append([landed(2), landed(3)]);
    await journal.append([landed(5)]);
    // Their first copies are in the file and look whole, which proves nothing.
    expect(instants((await readJournal(files, dir)).events)).toEqual([1, 4, 2, 3, 5]);
    expect(bytesOf(1)).toEqual(before);
    expect(firstOf(2).head).toMatchObject({
      cause: 'failed',
      void: { segment: 'journal-000001.log' },
    });
    await other.append([landed(6)]);
    expect(instants((await readJournal(files, dir)).events)).toEqual([1, 4, 2, 3, 5, 6]);
  });

  it('are not synced a second time after a failed sync', async () => {
    const synced: string[] = [];
    let broken = true;
    const system = troubled((what, path) => {
      if (what !== 'sync') return null;
      synced.push(path.slice(-8));
      return broken ? coded('EIO') : null;
    });
    const journal = await open('1.a', { system });
    await expect(journal.append([landed(1)])).rejects.toThrow(JournalRefusal);
    broken = false;
    await journal.append([landed(1)]);
    await journal.close();
    expect(synced).toEqual(['0001.log', '0002.log']);
    expect(instants((await readJournal(files, dir)).events)).toEqual([1]);
  });

  it('refuse while the disk is full, saying so, and go on in a fresh one when there is room', async () => {
    let full = false;
    const system = troubled((what, path) => {
      if (!full || what === 'sync') return null;
      if (what === 'append') fs.appendFileSync(path, '\x1e0123');
      return coded('ENOSPC');
    });
    const journal = await open('1.a', { system });
    await journal.append([landed(1)]);
    full = true;
    for (let n = 0; n < 3; n++) {
      const refused = await journal.append([landed(2)]).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(UserError);
      expect(refused).toMatchObject({ trouble: 'full' });
    }
    expect(segments()).toHaveLength(1);
    full = false;
    await journal.append([landed(2)]);
    const { events, damage } = await readJournal(files, dir);
    expect(instants(events)).toEqual([1, 2]);
    expect(damage.map(({ kind }) => kind)).toEqual([]);
    expect(segments()).toHaveLength(2);
  });

  it('stay in a full one where a new file cannot be made but a record still fits', async () => {
    const system = troubled((what) => (what === 'create' ? coded('EDQUOT') : null));
    const journal = await open('1.a', { system, segmentBytes: 200 });
    for (let n = 1; n <= 5; n++) await journal.append([landed(n)]);
    expect(segments()).toHaveLength(1);
    expect(instants(await journal.read())).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuse to be written where a later release wrote, naming it, and change nothing', async () => {
    const head = { app: '9.1.0', follows: null, cause: 'first' };
    const records = [
      { v: 1, by: 'later', head, event: { type: 'journal:segment', at: 1 } },
      { v: 2, by: 'later', event: { type: 'task:landed', at: 2 } },
    ].map((record) => encodeRecord(JSON.stringify(record)));
    fs.writeFileSync(join(dir, 'journal-000001.log'), Buffer.concat(records));
    const before = bytesOf(1);
    const refused = await open('1.a').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('parallel-executor 9.1.0 in format 2') as string,
      fix: 'Use version 9.1.0 or newer.',
    });
    expect(segments()).toHaveLength(1);
    expect(bytesOf(1)).toEqual(before);
  });

  it('are read from where the journal stood when it was opened, also behind a torn record', async () => {
    const first = await open('1.a');
    for (let n = 1; n <= 60; n++) await first.append([landed(n)]);
    fs.appendFileSync(join(dir, 'journal-000001.log'), '\x1etorn');
    const second = await open('2.b');
    await first.append([landed(61)]);
    const seen: number[] = [];
    await new Promise<void>((done) => {
      second.follow((events) => {
        seen.push(...instants(events));
        done();
      });
    });
    expect(seen).toEqual([61]);
  });
});
