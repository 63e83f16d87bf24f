import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { openJournal } from './journal';
import { segmentName } from './run-dir';

const task = parseTaskId('landing');
const landed = (at: number): RunEvent => ({
  type: 'task:landed',
  at,
  task,
  commit: null,
  tree: null,
});

/** Timers that fire when the test says so. */
class HandClock implements Clock {
  readonly pending = new Map<() => void, number>();
  now(): number {
    return 0;
  }
  after(delayMs: number, callback: () => void): () => void {
    this.pending.set(callback, delayMs);
    return () => this.pending.delete(callback);
  }
  fire(): void {
    const due = [...this.pending.keys()];
    this.pending.clear();
    for (const callback of due) callback();
  }
}

/** What a follower was told, and a way to wait for it. */
class Inbox {
  readonly calls: (readonly RunEvent[])[] = [];
  private wake: () => void = () => undefined;
  readonly receive = (events: readonly RunEvent[]): void => {
    this.calls.push(events);
    this.wake();
  };
  instants(): number[] {
    return this.calls.flat().map(({ at }) => at);
  }
  async until(count: number): Promise<void> {
    while (this.instants().length < count)
      await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

describe('following a journal', () => {
  const files = nodeFileSystem();
  const deaf: FileSystem = { ...files, watch: () => () => undefined };
  let dir: string;
  let clock: HandClock;
  let opened: Journal[];

  const open = async (writer: string, system: FileSystem = files): Promise<Journal> => {
    const journal = await openJournal({ fs: system, clock, dir, writer });
    opened.push(journal);
    return journal;
  };
  /** Lets a look at the files that was started run to its end: then its next poll is armed. */
  const idle = async (): Promise<void> => {
    while (clock.pending.size === 0) await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'follow-'));
    clock = new HandClock();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((journal) => journal.close()));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('tells two writers about each other and never about themselves', async () => {
    const [a, b] = [await open('1.a'), await open('2.b')];
    const [inA, inB] = [new Inbox(), new Inbox()];
    a.follow(inA.receive);
    b.follow(inB.receive);
    for (let n = 1; n <= 20; n++) await (n % 2 === 0 ? a : b).append([landed(n)]);
    await Promise.all([inA.until(10), inB.until(10)]);
    expect(inA.instants()).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    expect(inB.instants()).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });

  it('polls four times a second where the system gives no hints', async () => {
    const [a, b] = [await open('1.a', deaf), await open('2.b')];
    const inbox = new Inbox();
    a.follow(inbox.receive);
    await idle();
    expect([...clock.pending.values()]).toEqual([250]);
    await b.append([landed(1)]);
    clock.fire();
    await inbox.until(1);
    await idle();
    clock.fire();
    await idle();
    expect(inbox.instants()).toEqual([1]);
  });

  it('starts where the last read ended, so that nothing falls in between', async () => {
    const [a, b] = [await open('1.a', deaf), await open('2.b')];
    await b.append([landed(1)]);
    expect(await a.read()).toEqual([landed(1)]);
    await b.append([landed(2)]);
    const inbox = new Inbox();
    a.follow(inbox.receive);
    await inbox.until(1);
    expect(inbox.instants()).toEqual([2]);
  });

  it('starts at the opening when nothing was read', async () => {
    const b = await open('2.b');
    await b.append([landed(1)]);
    const a = await open('1.a', deaf);
    await b.append([landed(2)]);
    const inbox = new Inbox();
    a.follow(inbox.receive);
    await inbox.until(1);
    expect(inbox.instants()).toEqual([2]);
  });

  it('waits for the rest of a record that is half written', async () => {
    const [a, b] = [await open('1.a', deaf), await open('2.b')];
    await b.append([landed(1)]);
    const path = join(dir, segmentName(1));
    const bytes = fs.readFileSync(path);
    fs.truncateSync(path, bytes.length - 5);
    const inbox = new Inbox();
    // Opened before the record was there, so it is news.
    a.follow(inbox.receive);
    await idle();
    expect(inbox.calls).toEqual([]);
    fs.appendFileSync(path, bytes.subarray(bytes.length - 5));
    clock.fire();
    await inbox.until(1);
    expect(inbox.instants()).toEqual([1]);
  });

  it('finds a segment that was started meanwhile', async () => {
    const a = await open('1.a', deaf);
    const inbox = new Inbox();
    a.follow(inbox.receive);
    await idle();
    fs.writeFileSync(join(dir, segmentName(2)), '');
    await (await open('2.b')).append([landed(1)]);
    expect(fs.statSync(join(dir, segmentName(2))).size).toBeGreaterThan(0);
    clock.fire();
    await inbox.until(1);
  });

  it('tries again after a read that failed', async () => {
    let failing = false;
    const flaky: FileSystem = {
      ...deaf,
      readFrom: (path, offset) =>
        failing ? Promise.reject(new Error('EMFILE')) : files.readFrom(path, offset),
    };
    const [a, b] = [await open('1.a', flaky), await open('2.b')];
    await b.append([landed(1)]);
    const inbox = new Inbox();
    failing = true;
    a.follow(inbox.receive);
    await idle();
    expect(inbox.calls).toEqual([]);
    failing = false;
    clock.fire();
    await inbox.until(1);
  });

  it('says nothing once stopped, not even what was being read', async () => {
    const [a, b] = [await open('1.a', deaf), await open('2.b')];
    const inbox = new Inbox();
    const stop = a.follow(inbox.receive);
    await idle();
    await b.append([landed(1)]);
    clock.fire();
    stop();
    await a.read();
    expect(inbox.calls).toEqual([]);
    expect(clock.pending.size).toBe(0);
  });

  it('stops with its journal', async () => {
    const a = await open('1.a', deaf);
    a.follow(new Inbox().receive);
    await idle();
    await a.close();
    expect(clock.pending.size).toBe(0);
  });
});
