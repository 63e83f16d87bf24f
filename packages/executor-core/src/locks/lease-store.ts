import { join } from 'node:path';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Mutex } from '../ports/mutex';
import type { Processes } from '../ports/processes';
import { createGrantRounds, type GrantRounds } from './grant-rounds';
import { createLeaseKeeper, type LeaseKeeper } from './lease-keeper';
import type { LeaseRecord } from './lease-record';
import {
  PendingRequest,
  type AcquireOptions,
  type LeaseAnswer,
  type LeaseRequest,
} from './lease-request';
import type { LockTable } from './lock-table';
import { isSameProcess } from './same-process';
import { createTableFiles, type TableFiles } from './table-files';
import { createTakeover } from './takeover';

export type { AcquireOptions, Lease, LeaseAnswer, LeaseRequest } from './lease-request';

/**
 * Leases shared by all processes of a workspace, as files a person can read in `locksDir`. The rules
 * are in lock-table, the loss of a lease in takeover. Changes are made under one mutex at
 * `<locksDir>/table`.
 */
export interface LeaseStore {
  /**
   * Asks for all of a task's accesses, exclusive resources and a slot at once. Resolves when they are
   * granted, or when the caller's time or interest is at an end; then no trace is left in the table.
   * Rejects when the files cannot be written.
   */
  acquire(request: LeaseRequest, options: AcquireOptions): Promise<LeaseAnswer>;
  /** Gives the slot back and keeps the accesses; `false` when the lease is not ours any more. */
  releaseSlot(token: number): Promise<boolean>;
  /** Gives everything back. Releasing twice, or what was taken over, does nothing. */
  release(token: number): Promise<void>;
  /** The fencing check: the lease with this token is in the table and this process holds it. */
  isCurrent(token: number): Promise<boolean>;
  /** Rejects with `LeaseLost` when the lease is not current. */
  assertCurrent(token: number): Promise<void>;
  /** The table as it lies there, the dead included. */
  list(): Promise<LockTable>;
  /** Ends heartbeats and waits (as aborted); releases nothing. */
  close(): Promise<void>;
}

/** The lease was taken over by another process. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor(readonly token: number) {
    super(`Lease ${token} was taken over by another process.`);
  }
}

export interface LeaseStoreDeps {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly mutex: Mutex;
  readonly processes: Processes;
  /** Absolute path; created when it is missing. */
  readonly locksDir: string;
  /** How long a live owner may be silent before its lease is taken over; default 60 s. */
  readonly ttlMs?: number;
}

const DEFAULT_TTL_MS = 60_000;
const BEATS_PER_TTL = 4;

/** A store of this process; several in one process share the leases, not the waits. */
export function createLeaseStore(deps: LeaseStoreDeps): LeaseStore {
  const { fs, clock, mutex, processes, locksDir, ttlMs = DEFAULT_TTL_MS } = deps;
  const self = processes.self();
  const files = createTableFiles(fs, locksDir);
  const keeper = createLeaseKeeper(fs, clock, ttlMs / BEATS_PER_TTL);
  const takeover = createTakeover({ fs, clock, processes, files, ttlMs });
  const roundDeps = { fs, clock, mutex, locksDir, files, takeover, keeper, self, ttlMs };
  const rounds = createGrantRounds(roundDeps);
  let closed = false;

  const findOwn = async (token: number): Promise<LeaseRecord | null> => {
    const { leases } = await files.read('fresh');
    const lease = leases.find((one) => one.token === token);
    return lease !== undefined && isSameProcess(lease.owner, self) ? lease : null;
  };
  const held = new HeldLeases({ files, keeper, rounds, mutex, findOwn, locksDir });

  return {
    async acquire(request, options) {
      await fs.makeDir(locksDir);
      const pending = new PendingRequest(request, options);
      if (closed) pending.refuse('aborted');
      else rounds.submit(pending);
      return pending.answer;
    },
    releaseSlot: (token) => held.inTurn(token, () => held.releaseSlot(token)),
    release: (token) => held.inTurn(token, () => held.release(token)),
    isCurrent: async (token) => (await findOwn(token)) !== null,
    async assertCurrent(token) {
      if ((await findOwn(token)) === null) throw new LeaseLost(token);
    },
    list: () => createTableFiles(fs, locksDir).read('fresh'),
    async close() {
      closed = true;
      await rounds.stop();
      keeper.stop();
    },
  };
}

interface HeldDeps {
  readonly files: TableFiles;
  readonly keeper: LeaseKeeper;
  readonly rounds: GrantRounds;
  readonly mutex: Mutex;
  readonly locksDir: string;
  readonly findOwn: (token: number) => Promise<LeaseRecord | null>;
}

/** Giving back, in order per lease: a slot given back late must not bring a released lease back. */
class HeldLeases {
  private readonly turns = new Map<number, Promise<unknown>>();

  constructor(private readonly deps: HeldDeps) {}

  inTurn<T>(token: number, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(token) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.turns.set(token, settled);
    void settled.then(() => {
      if (this.turns.get(token) === settled) this.turns.delete(token);
    });
    return mine;
  }

  /** Under the mutex: rewriting a lease that is being fenced would bring it back. */
  async releaseSlot(token: number): Promise<boolean> {
    const { mutex, locksDir, findOwn, files, rounds } = this.deps;
    const kept = await mutex.with(join(locksDir, 'table'), async () => {
      const lease = await findOwn(token);
      if (lease !== null && lease.slot !== null) await files.replace({ ...lease, slot: null });
      return lease !== null;
    });
    rounds.nudge();
    return kept;
  }

  /** Without the mutex: to take a file away can only let others in, and needs nobody's leave. */
  async release(token: number): Promise<void> {
    const { findOwn, files, keeper, rounds } = this.deps;
    const lease = await findOwn(token);
    if (lease === null) return;
    keeper.drop(files.pathOf(lease));
    await files.remove(lease);
    rounds.nudge();
  }
}
