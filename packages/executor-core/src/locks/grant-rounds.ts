import { join } from 'node:path';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { MutexTimeout, type Mutex } from '../ports/mutex';
import { writeGrants, type RoundDeps } from './grant-writer';
import type { PendingRequest } from './lease-request';
import { describeBlocker, planGrants, rememberConflicts, type GrantDecision } from './lock-table';

/** Moves the requests of this process through the table. */
export interface GrantRounds {
  submit(pending: PendingRequest): void;
  /** Something may have changed: look soon. */
  nudge(): void;
  /** Ends every request as aborted; resolves when their wait files are gone. */
  stop(): Promise<void>;
}

export interface GrantRoundsDeps extends RoundDeps {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly mutex: Mutex;
  readonly locksDir: string;
}

/** The wake-up that does not depend on the system telling us of a change. */
const POLL_MS = 150;
/** Every so many polls all is read again, should the system have told us nothing. */
const POLLS_PER_FRESH_LOOK = 4;
/** One change makes several files stir; look once they have settled. */
const SETTLE_MS = 5;
const MUTEX_PATIENCE_MS = 5_000;
/** A full disk or too many open files may pass; when every round failed for so long it is an error. */
const FAILING_LIMIT_MS = 1_000;

/**
 * All requests of a process are moved together. A *look* reads the table without the mutex and
 * decides whether any of them could be granted; only then a *round* is held under the mutex, where
 * everything is read and decided again. So a release does not make every waiter fight for the mutex.
 */
export function createGrantRounds(deps: GrantRoundsDeps): GrantRounds {
  const rounds = new Rounds(deps);
  return {
    submit: (pending) => {
      rounds.submit(pending);
    },
    nudge: () => {
      rounds.nudge('fresh');
    },
    stop: () => rounds.stop(),
  };
}

class Rounds {
  private readonly pending = new Set<PendingRequest>();
  private readonly conflicts = rememberConflicts();
  private running = false;
  private again: 'fresh' | 'cached' | null = null;
  private failingSince: number | null = null;
  private polls = 0;
  private stopWatching: (() => void) | null = null;
  private cancelPoll: (() => void) | null = null;
  private cancelSettle: (() => void) | null = null;

  constructor(private readonly deps: GrantRoundsDeps) {}

  submit(pending: PendingRequest): void {
    this.pending.add(pending);
    pending.listen(this.deps.clock, (reason) => {
      void this.end(pending, reason);
    });
    this.nudge('fresh');
  }

  nudge(how: 'fresh' | 'cached'): void {
    if (this.again !== 'fresh') this.again = how;
    if (!this.running) void this.run();
  }

  async stop(): Promise<void> {
    const all = [...this.pending];
    for (const pending of all) await this.end(pending, 'aborted');
    await Promise.allSettled(all.map((pending) => pending.answer));
    this.rest();
  }

  private async run(): Promise<void> {
    this.running = true;
    // Requests made in one go share one round.
    await Promise.resolve();
    while (this.again !== null && this.forgetSettled() > 0) {
      const how = this.again;
      this.again = null;
      await this.attend(how);
    }
    this.again = null;
    this.running = false;
    if (this.forgetSettled() > 0) this.waitForChange();
    else this.rest();
  }

  private async attend(how: 'fresh' | 'cached'): Promise<void> {
    try {
      this.watch();
      const unfiled = [...this.pending].some((pending) => pending.phase === 'new');
      if (unfiled || (await this.look(how))) await this.round();
      this.failingSince = null;
    } catch (error) {
      const now = this.deps.clock.now();
      this.failingSince ??= now;
      if (now - this.failingSince < FAILING_LIMIT_MS) return;
      this.failingSince = null;
      for (const pending of this.pending) pending.fail(error);
    }
  }

  /** `true` when a request of ours could be granted, as far as can be seen without the mutex. */
  private async look(how: 'fresh' | 'cached'): Promise<boolean> {
    const { table } = await this.deps.takeover.judge(await this.deps.files.read(how));
    const plan = planGrants(table, this.conflicts);
    return [...this.pending].some((pending) => {
      if (pending.phase !== 'filed' || pending.record === null) return false;
      const decision = plan.get(pending.record.ticket);
      // Not in the table: somebody swept our wait file, and a round files it again.
      if (decision === undefined || decision.granted) return true;
      pending.waitFor(namesOf(decision));
      return false;
    });
  }

  private async round(): Promise<void> {
    const { mutex, locksDir } = this.deps;
    try {
      await mutex.with(
        join(locksDir, 'table'),
        () => writeGrants(this.deps, this.conflicts, [...this.pending]),
        MUTEX_PATIENCE_MS,
      );
    } catch (error) {
      if (!(error instanceof MutexTimeout)) throw error;
      for (const pending of this.pending) {
        if (pending.phase === 'new' && pending.ended !== null) pending.refuse(pending.ended);
      }
    }
  }

  private async end(pending: PendingRequest, reason: 'timeout' | 'aborted'): Promise<void> {
    if (pending.phase === 'settled') return;
    pending.ended ??= reason;
    // Busy: the round in progress answers. New and out of time: it still gets its one try.
    if (pending.phase === 'busy' || (pending.phase === 'new' && reason === 'timeout')) return;
    const { record } = pending;
    const filed = pending.phase === 'filed';
    pending.phase = 'busy';
    try {
      if (filed && record !== null) {
        this.deps.keeper.drop(this.deps.files.pathOf(record));
        await this.deps.files.remove(record);
      }
      pending.refuse(reason);
    } catch (error) {
      pending.fail(error);
    }
    this.nudge('fresh');
  }

  private forgetSettled(): number {
    for (const pending of this.pending) {
      if (pending.phase === 'settled') this.pending.delete(pending);
    }
    return this.pending.size;
  }

  private watch(): void {
    this.stopWatching ??= this.deps.fs.watch(this.deps.locksDir, () => {
      this.cancelSettle ??= this.deps.clock.after(SETTLE_MS, () => {
        this.cancelSettle = null;
        this.nudge('fresh');
      });
    });
  }

  private waitForChange(): void {
    this.cancelPoll ??= this.deps.clock.after(POLL_MS, () => {
      this.cancelPoll = null;
      this.polls += 1;
      this.nudge(this.polls % POLLS_PER_FRESH_LOOK === 0 ? 'fresh' : 'cached');
    });
  }

  private rest(): void {
    this.stopWatching?.();
    this.cancelPoll?.();
    this.cancelSettle?.();
    this.stopWatching = this.cancelPoll = this.cancelSettle = null;
  }
}

function namesOf(decision: GrantDecision): readonly string[] {
  return decision.granted ? [] : decision.blockers.map(describeBlocker);
}
