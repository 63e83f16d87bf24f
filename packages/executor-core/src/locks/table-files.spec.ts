import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { parseRunId, parseTaskId } from '../model/ids';
import type { LeaseRecord, WideRecord } from './lease-record';
import { createTableFiles, readTable, TableMoved, type TableFiles } from './table-files';

const fs = nodeFileSystem();
let root: string;
let folder: string;
let files: TableFiles;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'table-'));
  folder = join(root, 'leases-1');
  mkdirSync(folder);
  files = createTableFiles(fs, nodeQuickFiles(), folder);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function lease(token: number, slot: number | null = null): LeaseRecord {
  return {
    token,
    slot,
    request: `r${token}`,
    run: parseRunId('PEXEC-1'),
    task: parseTaskId(`t${token}`),
    priority: 50,
    owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    access: { reads: [], writes: ['a'] },
    resources: [],
    policy: 'wait',
    grantedAt: 0,
    ttlMs: 1,
  };
}

function wide(number: number, token: number, writes: readonly string[]): WideRecord {
  return { wide: number, token, task: parseTaskId(`t${token}`), writes, grantedAt: 0 };
}

describe('the table on disk', () => {
  it('is read back, whatever else lies in the folder', async () => {
    files.add(lease(1, 1));
    files.add(lease(2));
    writeFileSync(join(folder, 'lease-0000000003-t3.json'), '{"token":3');
    writeFileSync(join(folder, 'notes.txt'), 'hands off');
    expect(await readTable(fs, folder)).toEqual({
      leases: [lease(1, 1), lease(2)],
      waiters: [],
      wides: [],
      broken: ['lease-0000000003-t3.json'],
    });
  });

  it('is empty when there is none', async () => {
    const empty = { leases: [], waiters: [], wides: [], broken: [] };
    expect(await readTable(fs, null)).toEqual(empty);
    expect(await readTable(fs, join(root, 'none'))).toEqual(empty);
  });

  it('shows what was granted later as part of its lease, for as long as there is one', async () => {
    files.add(lease(1));
    files.add(wide(2, 1, ['a', 'b/**']));
    files.add(wide(3, 1, ['c']));
    files.add(wide(4, 99, ['d']));
    const table = await readTable(fs, folder);
    expect(table.leases[0]?.access.writes).toEqual(['a', 'b/**', 'c']);
    expect(table.broken).toEqual(['wide-0000000004-t99.json']);
  });
});

describe('the files of a leader', () => {
  it('refuse a number that was given already', () => {
    files.add(lease(1));
    expect(() => {
      files.add(lease(1));
    }).toThrow('exists already');
  });

  it('remember the last number when all leases, or the counter, are lost', async () => {
    expect(await files.lastNumber()).toBe(0);
    await files.reserve(41);
    expect(await files.lastNumber()).toBe(41);
    files.add(lease(43));
    await files.fence(lease(43));
    expect(await files.lastNumber()).toBe(43);
    writeFileSync(join(folder, 'counter'), '\0\0');
    expect(await files.lastNumber()).toBe(43);
  });

  it('fence and remove a lease once', async () => {
    files.add(lease(1));
    expect(await files.fence(lease(1))).toBe(true);
    expect(await files.fence(lease(1))).toBe(false);
    expect(files.remove(lease(1))).toBe(false);
  });

  it('write nothing any more once the table has moved to the next epoch', async () => {
    files.add(lease(1));
    const next = join(root, 'leases-2');
    renameSync(folder, next);
    expect(() => {
      files.add(lease(2));
    }).toThrow(TableMoved);
    expect(files.remove(lease(1))).toBe(false);
    await expect(files.reserve(100)).rejects.toThrow(TableMoved);
    await expect(files.fence(lease(1))).rejects.toThrow(TableMoved);
    await expect(files.assertHere()).rejects.toThrow(TableMoved);
    expect(readdirSync(next)).toEqual(['lease-0000000001-t1.json']);
  });
});
