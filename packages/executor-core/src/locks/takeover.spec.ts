import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { parseRunId, parseTaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Processes } from '../ports/processes';
import type { LeaseRecord, TableRecord, WaitRecord } from './lease-record';
import { createTableFiles, type TableFiles } from './table-files';
import { createTakeover, type Takeover } from './takeover';

const TTL_MS = 60_000;
const self: ProcessIdentity = { pid: 1, startTime: '1', bootId: 'b', host: 'h' };
const living = { ...self, pid: 2 };
const dead = { ...self, pid: 3 };
const processes: Processes = {
  self: () => self,
  identify: () => null,
  isAlive: ({ pid }) => pid !== dead.pid,
};
const fs = nodeFileSystem();
const claim = {
  request: 'r',
  priority: 0,
  ttlMs: TTL_MS,
  run: parseRunId('PEXEC-1'),
  access: { reads: [], writes: [] },
  resources: [],
  policy: 'wait',
} as const;

let folder: string;
let files: TableFiles;
let takeover: Takeover;
let table: TableRecord[];
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'takeover-'));
  mkdirSync(join(folder, 'leases-1'));
  files = createTableFiles(fs, nodeQuickFiles(), join(folder, 'leases-1'));
  table = [];
  now = 1_000_000_000;
  const clock = { now: () => now, after: () => () => undefined };
  takeover = createTakeover({ fs, clock, processes, files, ttlMs: TTL_MS });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lease(token: number, owner: ProcessIdentity): LeaseRecord {
  const task = parseTaskId(`t${token}`);
  const record = { token, task, owner, ...claim, slot: token, grantedAt: 0 };
  files.add(record);
  table.push(record);
  beat(record);
  return record;
}

function wait(ticket: number, owner: ProcessIdentity): WaitRecord {
  const task = parseTaskId(`t${ticket}`);
  const record = { ticket, task, owner, ...claim, slots: [1], requestedAt: 0 };
  files.add(record);
  table.push(record);
  beat(record);
  return record;
}

function beat(record: TableRecord): void {
  utimesSync(files.pathOf(record), now / 1000, now / 1000);
}

async function doomedNames(): Promise<readonly string[]> {
  return (await takeover.judge(table)).map(({ task }) => task);
}

/** Looks once a second, as a waiting process does. */
async function watchFor(ms: number): Promise<readonly string[]> {
  let names = await doomedNames();
  for (const end = now + ms; now < end; names = await doomedNames()) now += 1_000;
  return names;
}

describe('who loses a lease', () => {
  it('is a dead owner, at once, waiting or holding', async () => {
    lease(1, dead);
    lease(2, living);
    wait(3, dead);
    wait(4, living);
    expect(await doomedNames()).toEqual(['t1', 't3']);
  });

  it('is a living owner that was silent for longer than its time to live', async () => {
    const record = lease(1, living);
    wait(2, living);
    expect(await watchFor(TTL_MS)).toEqual([]);
    expect(await watchFor(10_000)).toEqual(['t1', 't2']);
    beat(record);
    expect(await doomedNames()).toEqual(['t2']);
  });

  it('is never this process itself', async () => {
    lease(1, self);
    expect(await watchFor(3 * TTL_MS)).toEqual([]);
  });

  it('is nobody right after a sleep, in which every heartbeat became overdue', async () => {
    const record = lease(1, living);
    expect(await watchFor(TTL_MS / 2)).toEqual([]);
    now += 8 * 3_600_000;
    expect(await watchFor(TTL_MS / 4)).toEqual([]);
    beat(record);
    expect(await watchFor(TTL_MS / 2)).toEqual([]);
  });

  it('is one that stays silent after the sleep', async () => {
    lease(1, living);
    now += 8 * 3_600_000;
    expect(await watchFor(TTL_MS / 2)).toEqual(['t1']);
  });
});

describe('the sweep', () => {
  it('moves leases to fenced/ and deletes waits', async () => {
    for (const record of [lease(1, dead), wait(2, dead)]) {
      await takeover.sweep(record);
      await expect(takeover.sweep(record)).resolves.toBeUndefined();
    }
    expect(readdirSync(join(folder, 'leases-1'))).toEqual([]);
    expect(readdirSync(join(folder, 'fenced'))).toEqual(['lease-0000000001-t1.json']);
  });

  it('keeps the last hundred fenced leases', async () => {
    for (let token = 1; token <= 102; token++) await takeover.sweep(lease(token, dead));
    const kept = readdirSync(join(folder, 'fenced'));
    expect(kept).toHaveLength(100);
    expect(kept.at(-1)).toBe('lease-0000000102-t102.json');
  });
});
