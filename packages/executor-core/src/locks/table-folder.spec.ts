import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { parseRunId, parseTaskId } from '../model/ids';
import { encodeRecord, recordName, type LeaseRecord } from './lease-record';
import { findFolder, moveFolder, mutexPath, openFolder } from './table-folder';
import { TableHome } from './table-home';

const fs = nodeFileSystem();
let locksDir: string;

beforeEach(() => {
  locksDir = mkdtempSync(join(tmpdir(), 'epochs-'));
});
afterEach(() => {
  rmSync(locksDir, { recursive: true, force: true });
});

describe('the folder of the table', () => {
  it('is made once, as the first epoch', async () => {
    const dir = join(locksDir, 'not', 'yet');
    expect(await findFolder(fs, dir)).toBeNull();
    const [one, two] = await Promise.all([openFolder(fs, dir), openFolder(fs, dir)]);
    expect(one).toEqual({ epoch: 1, path: join(dir, 'leases-1') });
    expect(two).toEqual(one);
  });

  it('is the one with the greatest number, whatever else lies there', async () => {
    for (const name of ['leases-9', 'leases-10', 'leases-x', 'fenced', 'table-99.lock']) {
      mkdirSync(join(locksDir, name));
    }
    expect((await openFolder(fs, locksDir)).epoch).toBe(10);
  });

  it('moves to the next epoch for one of all who want it to', async () => {
    const first = await openFolder(fs, locksDir);
    writeFileSync(join(first.path, 'lease'), '');
    const moved = await Promise.all([1, 2, 3].map(() => moveFolder(fs, locksDir, first)));
    expect(moved.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(locksDir)).toEqual(['leases-2']);
    expect(existsSync(join(locksDir, 'leases-2', 'lease'))).toBe(true);
    const second = await openFolder(fs, locksDir);
    expect(mutexPath(locksDir, first)).not.toBe(mutexPath(locksDir, second));
  });
});

describe('who only uses the table', () => {
  const lease: LeaseRecord = {
    token: 1,
    slot: 7,
    request: 'r',
    run: parseRunId('PEXEC-1'),
    task: parseTaskId('t'),
    priority: 50,
    owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    access: { reads: [], writes: ['a'] },
    resources: [],
    policy: 'wait',
    grantedAt: 0,
    ttlMs: 1,
  };

  async function homeWithLease(): Promise<TableHome> {
    const home = new TableHome(fs, nodeQuickFiles(), locksDir);
    const { path } = await home.open();
    writeFileSync(join(path, recordName(lease)), encodeRecord(lease));
    return home;
  }

  it('follows it to its next epoch', async () => {
    const home = await homeWithLease();
    for (const use of ['has', 'beat', 'remove'] as const) {
      await moveFolder(fs, locksDir, await openFolder(fs, locksDir));
      expect([use, await home[use](lease)]).toEqual([use, true]);
    }
    expect(await home.has(lease)).toBe(false);
  });

  it('cannot bring back a lease that has gone', async () => {
    const home = await homeWithLease();
    expect(await home.dropSlot(lease)).toBe(true);
    expect((await home.read()).leases).toEqual([{ ...lease, slot: null }]);
    await home.remove(lease);
    for (const use of ['beat', 'dropSlot', 'remove'] as const) {
      expect([use, await home[use](lease)]).toEqual([use, false]);
    }
    expect((await home.read()).leases).toEqual([]);
  });

  it('makes no table by looking at it', async () => {
    const home = new TableHome(fs, nodeQuickFiles(), join(locksDir, 'none'));
    expect(await home.has(lease)).toBe(false);
    expect((await home.read()).leases).toEqual([]);
    expect(readdirSync(locksDir)).toEqual([]);
  });
});
