import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { parseRunId, parseTaskId } from '../model/ids';
import type { LeaseRecord } from './lease-record';
import { createTableFiles, type TableFiles } from './table-files';

let folder: string;
let files: TableFiles;
let reads: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'table-'));
  reads = [];
  const real = nodeFileSystem();
  const readText = (path: string): Promise<string | null> => {
    reads.push(path);
    return real.readText(path);
  };
  files = createTableFiles({ ...real, readText }, folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lease(token: number, slot: number | null): LeaseRecord {
  return {
    token,
    slot,
    run: parseRunId('PEXEC-1'),
    task: parseTaskId(`t${token}`),
    owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    access: { reads: [], writes: ['a'] },
    resources: [],
    policy: 'wait',
    grantedAt: 0,
    ttlMs: 1,
  };
}

describe('the files of the lock table', () => {
  it('are read back, whatever else lies in the folder', async () => {
    await files.add(lease(1, 1));
    await files.add(lease(2, null));
    writeFileSync(join(folder, 'lease-0000000003-t3.json'), '{"token":3');
    writeFileSync(join(folder, 'notes.txt'), 'hands off');
    mkdirSync(join(folder, 'table.lock'));
    expect(await files.read('fresh')).toEqual({
      leases: [lease(1, 1), lease(2, null)],
      waiters: [],
    });
  });

  it('are an empty table when the folder is missing', async () => {
    const none = createTableFiles(nodeFileSystem(), join(folder, 'none'));
    expect(await none.read('fresh')).toEqual({ leases: [], waiters: [] });
    expect(await none.lastNumber()).toBe(0);
  });

  it('are read again only where they can have changed', async () => {
    await files.add(lease(1, 1));
    await files.add(lease(2, null));
    const first = await files.read('fresh');
    reads.length = 0;
    const second = await files.read('fresh');
    expect(reads).toEqual([files.pathOf(lease(1, 1))]);
    expect(second.leases[0]).toBe(first.leases[0]);
    await files.replace(lease(1, null));
    expect((await files.read('cached')).leases[0]?.slot).toBe(1);
    expect((await files.read('fresh')).leases[0]?.slot).toBeNull();
    await files.remove(lease(1, null));
    expect((await files.read('cached')).leases).toHaveLength(1);
  });

  it('refuse a number that was given already', async () => {
    await files.add(lease(1, 1));
    await expect(files.add(lease(1, 2))).rejects.toThrow('exists already');
  });

  it('remember the last number when all leases, or the counter, are lost', async () => {
    await files.saveNumber(41);
    expect(await files.lastNumber()).toBe(41);
    await files.add(lease(43, 1));
    await files.fence(lease(43, 1));
    expect(await files.lastNumber()).toBe(43);
    writeFileSync(join(folder, 'counter'), '\0\0');
    expect(await files.lastNumber()).toBe(43);
  });

  it('fence and remove a lease once', async () => {
    await files.add(lease(1, 1));
    expect(await files.fence(lease(1, 1))).toBe(true);
    expect(await files.fence(lease(1, 1))).toBe(false);
    expect(await files.remove(lease(1, 1))).toBe(false);
  });
});
