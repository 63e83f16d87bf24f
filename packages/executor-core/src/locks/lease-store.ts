import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import { HeldLeases } from './held-leases';
import { LeaderDoor } from './leader-door';
import type { OfficeDeps } from './leader-office';
import { createLeaseKeeper, type LeaseKeeper } from './lease-keeper';
import type { LeaseRecord } from './lease-record';
import type { AcquireOptions, LeaseAnswer, LeaseRequest } from './lease-request';
import { LeaseRequests, type WidenAnswer } from './lease-requests';
import type { LockTable } from './lock-table';
import { isSameProcess } from './same-process';
import { TableHome } from './table-home';

export type { AcquireOptions, Lease, LeaseAnswer, LeaseRequest } from './lease-request';
export type { WidenAnswer } from './lease-requests';

/**
 * Leases shared by all processes of a workspace, as files a person can read in `locksDir`. The rules
 * are in lock-table, the loss of a lease in takeover. One process at a time leads: it holds the table's
 * mutex, decides, and writes; the others ask it (leader-door). What is its own, everybody gives back
 * himself.
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
  /**
   * Gives everything back. Resolves when the leader will be told, who then removes the file; for this
   * store the lease has gone already. Releasing twice, or what was taken over, does nothing.
   */
  release(token: number): Promise<void>;
  /**
   * More write room for a lease that is held, by whichever process. Granted if nobody else holds what it
   * conflicts with, without waiting, so that nobody can wait in a circle; it is part of the lease from
   * then on. Rejects with `LeaseLost` when the lease is not in the table.
   */
  widen(token: number, writes: readonly string[]): Promise<WidenAnswer>;
  /** Token of the lease the task of this run holds now, in whichever process; `null` when it has none. */
  tokenOf(run: RunId, task: TaskId): Promise<number | null>;
  /** What the lease may write now, with what was granted later; `null` when it is not in the table. */
  writesOf(token: number): Promise<readonly string[] | null>;
  /** The fencing check: the lease with this token is in the table and this process holds it. */
  isCurrent(token: number): Promise<boolean>;
  /** Tokens of all leases in the table, whoever holds them: the fencing check for many at once. */
  tokens(): Promise<ReadonlySet<number>>;
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

export interface LeaseStoreDeps extends Omit<OfficeDeps, 'ttlMs'> {
  /** How long a live owner may be silent before its lease is taken over; default 60 s. */
  readonly ttlMs?: number;
}

const DEFAULT_TTL_MS = 60_000;
const BEATS_PER_TTL = 4;

/** A store of this process; several in one process share the leases, not the waits. */
export function createLeaseStore(given: LeaseStoreDeps): LeaseStore {
  const parts = wire(given);
  const { requests, held, tokenOf, tokens, find, findOwn } = parts;
  const inTurn = new Turns();
  let closed = false;
  const giveBack = (lease: LeaseRecord): Promise<void> => {
    held.giveBack(lease);
    return closed ? held.removeReturning() : DONE;
  };
  return {
    acquire(request, options) {
      const pending = requests.submit(request, options);
      if (closed) pending.refuse('aborted');
      return pending.answer;
    },
    releaseSlot: (token) =>
      inTurn.take(token, async () => {
        const lease = held.get(token) ?? (await findOwn(token));
        return lease !== null && held.dropSlot(lease);
      }),
    release(token) {
      const lease = held.get(token);
      if (lease !== null && !inTurn.isBusy(token)) return giveBack(lease);
      return inTurn.take(token, async () => {
        const own = held.get(token) ?? (await findOwn(token));
        if (own !== null) await giveBack(own);
      });
    },
    async widen(token, writes) {
      const answer = await requests.widen(token, writes);
      if (answer === null) throw new LeaseLost(token);
      return answer;
    },
    tokenOf,
    tokens,
    writesOf: async (token) => (await find(token))?.access.writes ?? null,
    isCurrent: async (token) => (await findOwn(token)) !== null,
    async list() {
      const { leases, waiters } = await new TableHome(given.fs, given.quick, given.locksDir).read();
      return { leases: leases.filter(({ token }) => !held.isReturning(token)), waiters };
    },
    async close() {
      closed = true;
      await requests.stop();
      parts.keeper.stop();
      await held.removeReturning();
      await parts.door.close();
    },
  };
}

interface Parts {
  readonly home: TableHome;
  readonly keeper: LeaseKeeper;
  readonly requests: LeaseRequests;
  readonly door: LeaderDoor;
  readonly held: HeldLeases;
  readonly tokenOf: LeaseStore['tokenOf'];
  readonly tokens: LeaseStore['tokens'];
  readonly find: (token: number) => Promise<LeaseRecord | null>;
  readonly findOwn: (token: number) => Promise<LeaseRecord | null>;
}

function wire(given: LeaseStoreDeps): Parts {
  const { fs, quick, clock, processes, locksDir, ttlMs = DEFAULT_TTL_MS } = given;
  const self = processes.self();
  const home = new TableHome(fs, quick, locksDir);
  const keeper = createLeaseKeeper((lease) => home.beat(lease), clock, ttlMs / BEATS_PER_TTL);
  const requests = new LeaseRequests({
    clock,
    self,
    ttlMs,
    send: (message) => door.send(message),
    onGranted: (lease) => {
      held.add(lease);
    },
    onUnwanted: (lease) => {
      held.giveBack(lease);
    },
    onForgotten: (wait) => void home.remove(wait).catch(() => undefined),
  });
  const removeOwn = (): void => void held.removeReturning().catch(() => undefined);
  const door: LeaderDoor = new LeaderDoor({
    ...given,
    ttlMs,
    home,
    hear: (message) => {
      if (message.gone !== undefined) held.confirm(message.gone);
      requests.hear(message);
    },
    onOpen: () => {
      removeOwn();
      requests.resend();
    },
    onLost: removeOwn,
    onTick: () => {
      requests.tick();
      keeper.wake();
    },
    onTrouble: (error) => {
      removeOwn();
      requests.fail(error);
    },
    wanted: () => requests.size > 0 || held.size > 0,
  });
  const held = new HeldLeases({ home, keeper, send: (message) => door.send(message) });
  return { home, keeper, requests, door, held, ...createFinders(home, held, self) };
}

/** Looks into the table, in which what this process gives back may still be. */
function createFinders(
  home: TableHome,
  held: HeldLeases,
  self: ProcessIdentity,
): Pick<Parts, 'tokenOf' | 'tokens' | 'find' | 'findOwn'> {
  const leases = async (): Promise<readonly LeaseRecord[]> =>
    (await home.read()).leases.filter(({ token }) => !held.isReturning(token));
  const find = async (token: number): Promise<LeaseRecord | null> =>
    held.isReturning(token) ? null : home.lease(token);
  const findOwn = async (token: number): Promise<LeaseRecord | null> => {
    const known = held.get(token);
    if (known !== null) return (await home.has(known)) ? known : null;
    const lease = await find(token);
    return lease !== null && isSameProcess(lease.owner, self) ? lease : null;
  };
  const tokenOf: LeaseStore['tokenOf'] = async (run, task) =>
    (await leases()).findLast((one) => one.run === run && one.task === task)?.token ?? null;
  const tokens: LeaseStore['tokens'] = async () =>
    new Set((await home.tokens()).filter((token) => !held.isReturning(token)));
  return { tokenOf, tokens, find, findOwn };
}

const DONE = Promise.resolve();

/** Per lease one after the other: a slot given back late must not bring a released lease back. */
class Turns {
  private readonly turns = new Map<number, Promise<unknown>>();

  isBusy(token: number): boolean {
    return this.turns.has(token);
  }

  take<T>(token: number, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(token) ?? DONE;
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
}
