import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import type { Fact } from '../model/event';
import type { QuickFiles } from '../ports/quick-files';
import { readDiskNote, reserveDiskNote } from '../store/disk-note';
import { HandClock } from '../testing/hand-clock';
import { DiskGuard, NEEDED_BYTES } from './disk-guard';

const coded = (code: string): Error => Object.assign(new Error(`${code}: refused`), { code });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the guard of a run against its disk', () => {
  const files = nodeFileSystem();
  let dir = '';
  let clock: HandClock;
  let free: number | null;
  let told: Fact[];
  let quick: QuickFiles;
  let guard: DiskGuard;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'disk-guard-'));
    clock = new HandClock();
    free = 2 * NEEDED_BYTES;
    told = [];
    quick = nodeQuickFiles();
    reserveDiskNote(quick, dir);
    const disk = { freeSpace: () => free, freeFiles: () => null, networkName: () => null };
    const tell = (event: Fact): number => told.push(event);
    // The probe is asked through `quick` as it is then.
    const asked: QuickFiles = { ...quick, create: (path, text) => quick.create(path, text) };
    guard = new DiskGuard({ clock, disk, quick: asked, dir, tell });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /** Work that the disk refuses as often as `errors` says. */
  const refusing = (...errors: Error[]): jest.Mock<Promise<string>> =>
    jest.fn(() => {
      const error = errors.shift();
      return error === undefined ? Promise.resolve('done') : Promise.reject(error);
    });

  it('lets through what the disk takes, and errors that do not come from it', async () => {
    expect(await guard.insist(refusing())).toBe('done');
    await expect(guard.insist(refusing(coded('EACCES')))).rejects.toThrow('EACCES');
    await expect(guard.insist(refusing(new Error('bug')))).rejects.toThrow('bug');
    expect(told).toEqual([]);
  });

  it.each([
    [coded('ENOSPC'), 'full', 'is full (32 MB free); 16 MB are needed'],
    [coded('EDQUOT'), 'quota', 'quota'],
    [coded('EIO'), 'broken', 'input/output error'],
    [coded('EROFS'), 'read-only', 'read-only'],
    [new Error('fatal: write error: No space left on device'), 'full', 'is full'],
  ])('does it again after %p, and says which disk and why', async (error, trouble, words) => {
    const work = refusing(error);
    const done = guard.insist(work);
    await turn();
    expect(guard.isHeld).toBe(true);
    expect(told).toMatchObject([{ type: 'disk:refused', trouble }]);
    const [refused] = told;
    expect(refused?.type === 'disk:refused' && refused.reason).toContain(words);
    expect(refused?.type === 'disk:refused' && refused.reason).toContain(dir);
    expect(await readDiskNote(files, dir)).toEqual(refused);
    clock.pass(500);
    expect(await done).toBe('done');
    expect(work).toHaveBeenCalledTimes(2);
    expect(told.at(-1)?.type).toBe('disk:recovered');
    expect(guard.takeEvents()).toEqual(told);
    expect(guard.takeEvents()).toEqual([]);
    expect(await readDiskNote(files, dir)).toBeNull();
    expect(readdirSync(dir)).toEqual(['disk-note.json']);
  });

  it('does not try before there is room, asks less and less often, and holds everybody meanwhile', async () => {
    free = 0;
    const [one, two] = [refusing(coded('ENOSPC')), refusing(coded('ENOSPC'))];
    const both = [guard.insist(one), guard.insist(two)];
    let cleared = false;
    await turn();
    const clear = guard.clear().then(() => (cleared = true));
    for (const ms of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      clock.pass(ms - 1);
      expect(clock.waiting).toBe(1);
      clock.pass(1);
      await turn();
    }
    expect([one.mock.calls.length, two.mock.calls.length, cleared]).toEqual([1, 1, false]);
    expect(told).toHaveLength(1);
    free = NEEDED_BYTES;
    clock.pass(15_000);
    expect(await Promise.all(both)).toEqual(['done', 'done']);
    await clear;
    expect(told).toHaveLength(2);
  });

  it('does not believe in room that cannot be written to', async () => {
    const create = quick.create.bind(quick);
    quick = {
      ...quick,
      create: () => {
        throw coded('EDQUOT');
      },
    };
    const work = refusing(coded('EDQUOT'));
    const done = guard.insist(work);
    await turn();
    clock.pass(500);
    await turn();
    expect(guard.isHeld).toBe(true);
    quick = { ...quick, create };
    clock.pass(1000);
    expect(await done).toBe('done');
  });

  it('waits longer when the disk refuses again soon after', async () => {
    const work = refusing(coded('EIO'), coded('EIO'), coded('EIO'));
    const done = guard.insist(work);
    const tries: number[] = [];
    for (const ms of [500, 1000, 2000]) {
      await turn();
      clock.pass(ms - 1);
      await turn();
      tries.push(work.mock.calls.length);
      clock.pass(1);
      await turn();
    }
    expect(await done).toBe('done');
    expect(tries).toEqual([1, 2, 3]);
  });

  it('gives up at once when it is told to, and from then on', async () => {
    free = 0;
    const refused = guard.insist(refusing(coded('ENOSPC')));
    await turn();
    guard.giveUp();
    await expect(refused).rejects.toThrow('ENOSPC');
    await guard.clear();
    await expect(guard.insist(refusing(coded('ENOSPC')))).rejects.toThrow('ENOSPC');
    expect(clock.waiting).toBe(0);
  });
});
