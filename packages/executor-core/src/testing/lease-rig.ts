import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localChannel } from '../adapters/local-channel';
import { lockfileMutex } from '../adapters/lockfile-mutex';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeProcesses } from '../adapters/node-processes';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { createLeaseStore, type LeaseStore, type LeaseStoreDeps } from '../locks/lease-store';
import type { Lease, LeaseAnswer, LeaseRequest } from '../locks/lease-store';
import { parseRunId, parseTaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';

/** Longer than anything a test waits for. */
export const LONG_MS = 20_000;

/** A lock folder and lease stores on the real adapters, closed and removed by `done`. */
export class LeaseRig {
  readonly locksDir: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'leases-'));
  private readonly stores: LeaseStore[] = [];

  constructor() {
    this.locksDir = join(this.folder, 'locks');
  }

  open(more: Partial<LeaseStoreDeps> = {}): LeaseStore {
    const processes = nodeProcesses();
    const store = createLeaseStore({
      fs: nodeFileSystem(),
      quick: nodeQuickFiles(),
      channel: localChannel(),
      clock: nodeClock(),
      mutex: lockfileMutex(processes),
      processes,
      locksDir: this.locksDir,
      ...more,
    });
    this.stores.push(store);
    return store;
  }

  /** A store that looks to the others like one of another process, alive as they are told. */
  openAs(
    pid: number,
    isAlive: (identity: ProcessIdentity) => boolean,
    more: Partial<LeaseStoreDeps> = {},
  ): LeaseStore {
    const real = nodeProcesses();
    const processes = { ...real, self: () => ({ ...real.self(), pid }), isAlive };
    return this.open({ processes, ...more });
  }

  /** The folder of the table, in whichever epoch. */
  tableDir(): string {
    const names = readdirSync(this.locksDir).filter((name) => name.startsWith('leases-'));
    if (names.length !== 1) throw new Error(`Tables: ${names.join(', ')}`);
    return join(this.locksDir, names[0] ?? '');
  }

  /** Names of the files of leases, waits and extensions. */
  records(): readonly string[] {
    return readdirSync(this.tableDir()).filter((name) => /^(lease|wait|wide)-/.test(name));
  }

  /** Resolves when there are so many files; what is given back goes a moment later. */
  async recordsBecome(count: number): Promise<void> {
    while (this.records().length !== count) await new Promise(setImmediate);
  }

  async done(): Promise<void> {
    for (const store of this.stores.splice(0)) await store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A request for write leases and no slot. */
export function askFor(
  task: string,
  writes: readonly string[],
  more: Partial<LeaseRequest> = {},
): LeaseRequest {
  return {
    run: parseRunId('PEXEC-1'),
    task: parseTaskId(task),
    access: { reads: [], writes },
    resources: [],
    policy: 'wait',
    priority: 50,
    slots: [],
    ...more,
  };
}

/** The lease; throws when it was refused. */
export function grantedOf(answer: LeaseAnswer): Lease {
  if (!answer.granted) throw new Error(`${answer.reason}: ${answer.holders.join(', ')}`);
  return answer.lease;
}

export async function takeLease(store: LeaseStore, request: LeaseRequest): Promise<Lease> {
  return grantedOf(await store.acquire(request, { timeoutMs: LONG_MS }));
}

/** Starts an acquire that has to wait; resolves when it does. */
export function queueUp(
  store: LeaseStore,
  request: LeaseRequest,
  signal?: AbortSignal,
): Promise<{ readonly answer: Promise<LeaseAnswer>; readonly holders: readonly string[] }> {
  return new Promise((waiting) => {
    const answer: Promise<LeaseAnswer> = store.acquire(request, {
      timeoutMs: LONG_MS,
      ...(signal && { signal }),
      onWaiting: (holders) => {
        waiting({ answer, holders });
      },
    });
  });
}
