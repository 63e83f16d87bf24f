import type { Clock } from '../ports/clock';
import { LeaseBook } from './lease-book';
import type { TableRecord } from './lease-record';
import { leaseFrom, recordName } from './lease-record';
import type { ToLeader } from './leader-messages';
import { describeBlocker, planGrants, rememberConflicts } from './lock-table';
import type { NumberRange } from './number-range';
import type { StoredTable, TableFiles } from './table-files';
import { TableMoved } from './table-files';
import type { Takeover } from './takeover';
import { letWait, waitingFor, type Session, type Waiting } from './waiting';

export interface TableLeaderDeps {
  readonly clock: Clock;
  readonly files: TableFiles;
  readonly takeover: Takeover;
  readonly numbers: NumberRange;
  /** Called once when the table cannot be written any more, or was taken over. */
  readonly onLost: (error: unknown) => void;
}

/** A process whose lines are closed takes a moment to be gone. */
const JUDGE_AGAIN_MS = [0, 15, 40];
/** Who waits longer than this is on disk, for people and for the next leader. */
const FILED_AFTER_MS = 100;

/**
 * The lock table in the memory of the one process that leads. What is said to it in one turn is decided
 * together. Each lease is on disk before its owner is told; the rules are in lock-table.
 */
export class TableLeader {
  private readonly book: LeaseBook;
  private readonly waiting = new Map<string, Waiting>();
  private readonly conflicts = rememberConflicts();
  private settling = false;
  private judging: Promise<void> | null = null;
  private over = false;

  constructor(
    private readonly deps: TableLeaderDeps,
    stored: StoredTable,
  ) {
    this.book = new LeaseBook(deps.files, stored);
    for (const record of stored.waiters) {
      this.waiting.set(record.request, waitingFor(record, { filed: true }));
    }
  }

  receive(session: Session, message: ToLeader): void {
    if (this.over) return;
    switch (message.op) {
      case 'acquire':
        this.enqueue(session, message);
        break;
      case 'withdraw':
        this.forget(message.request);
        session.tell({ op: 'withdrawn', request: message.request });
        break;
      case 'released':
        this.book.drop(message.token);
        break;
      case 'slotFree':
        this.book.dropSlot(message.token);
        break;
      case 'widen':
        void this.widen(session, message).catch((error: unknown) => {
          this.fail(error, session, message.request);
        });
        break;
    }
    this.settleSoon();
  }

  /** The session's process has gone, or has turned to somebody else. */
  leave(session: Session): void {
    // Not gone: hung up on, by a leader that steps down. What it waits for stays on disk.
    if (this.over) return;
    for (const [request, { session: its }] of this.waiting) {
      if (its === session) this.forget(request);
    }
    this.settleSoon();
    // It may have died, just now, holding leases that others wait for.
    this.deps.takeover.doubt();
    for (const ms of JUDGE_AGAIN_MS) {
      this.deps.clock.after(ms, () => {
        if (!this.over && this.waiting.size > 0) void this.judge();
      });
    }
  }

  /** Takes from the table what the dead left, before the first request. */
  clear(): Promise<void> {
    return this.judgeAll();
  }

  /** To be called every tenth of a second: finds the dead, the silent, and what others took away. */
  async tick(): Promise<void> {
    if (this.over) return;
    try {
      await this.deps.files.assertHere();
      if (this.waiting.size === 0) return;
      this.fileWaits();
      await this.judge();
      this.tellWaiting('all');
    } catch (error) {
      this.lose(error);
    }
  }

  /** Decides nothing from now on. */
  stop(): void {
    this.over = true;
  }

  private enqueue(session: Session, { wait, hurry }: ToLeader & { op: 'acquire' }): void {
    const { request } = wait;
    const given = this.book.givenTo(request);
    if (given !== null) {
      session.tell({ op: 'granted', request, lease: given });
      return;
    }
    const known = this.waiting.get(request);
    const waiting = known ?? waitingFor(wait, { filed: false });
    Object.assign(waiting, { session, hurry, told: null });
    this.waiting.set(request, waiting);
  }

  private settleSoon(): void {
    if (this.settling) return;
    this.settling = true;
    setImmediate(() => {
      this.settling = false;
      this.settle();
    });
  }

  private settle(): void {
    if (this.over || this.waiting.size === 0) return;
    const { numbers } = this.deps;
    const needed = 2 * this.waiting.size;
    if (!numbers.has(needed)) {
      const lost = (error: unknown): void => {
        this.lose(error);
      };
      numbers.refill(needed).then(() => {
        this.settleSoon();
      }, lost);
      return;
    }
    const queue = new Map<number, Waiting>();
    for (const one of this.waiting.values()) {
      if (one.record.ticket === 0) one.record = { ...one.record, ticket: numbers.next() };
      queue.set(one.record.ticket, one);
    }
    const waiters = [...queue.values()].map(({ record }) => record);
    const table = { leases: this.book.all(), waiters };
    let hurry = false;
    for (const [ticket, decision] of planGrants(table, this.conflicts)) {
      const one = queue.get(ticket);
      if (one === undefined || one.session === null) continue;
      if (decision.granted) this.grant(one, one.session, decision.slot);
      else one.blockers = decision.blockers;
      hurry ||= one.hurry && !decision.granted;
    }
    // Before anybody is sent away, the dead are.
    if (hurry)
      void this.judge().then(() =>
        setImmediate(() => {
          this.tellWaiting('hurried');
        }),
      );
  }

  private grant(one: Waiting, session: Session, slot: number | null): void {
    const { clock, numbers } = this.deps;
    const { request } = one.record;
    const lease = leaseFrom(one.record, { token: numbers.next(), slot, grantedAt: clock.now() });
    try {
      this.book.add(lease);
    } catch (error) {
      this.waiting.delete(request);
      this.fail(error, session, request);
      return;
    }
    this.forget(request);
    session.tell({ op: 'granted', request, lease });
  }

  /** The end of a wait: granted, withdrawn, or its owner has gone. */
  private forget(request: string): void {
    const one = this.waiting.get(request);
    this.waiting.delete(request);
    if (one?.filed === true) this.deps.files.remove(one.record);
  }

  /** More write room for a lease, if nobody holds what it conflicts with; never waits. */
  private async widen(session: Session, message: ToLeader & { op: 'widen' }): Promise<void> {
    const { token, request, writes } = message;
    const { numbers, clock } = this.deps;
    const { book } = this;
    if (book.inTheWayOf(token, writes).length > 0) await this.judge();
    if (!numbers.has(1)) await numbers.refill(1);
    if (this.over) return;
    const lease = book.get(token);
    const holders = book.inTheWayOf(token, writes);
    if (lease === null || holders.length > 0) {
      const names = lease === null ? null : holders.map(describeBlocker);
      session.tell({ op: 'widened', request, holders: names });
      return;
    }
    book.widen(lease, { number: numbers.next(), writes, at: clock.now() });
    session.tell({ op: 'widened', request, holders: [] });
  }

  /** Takes from the table what belongs to the dead and the silent; one judgement at a time. */
  private judge(): Promise<void> {
    this.judging ??= this.judgeAll()
      .catch((error: unknown) => {
        this.lose(error);
      })
      .finally(() => {
        this.judging = null;
        if (!this.over && this.waiting.size > 0) this.settleSoon();
      });
    return this.judging;
  }

  private async judgeAll(): Promise<void> {
    const { takeover } = this.deps;
    await this.compareWithDisk();
    const all = [...this.waiting.values()];
    // A process that is connected speaks for its waits; if it is stopped, the lease it gets passes on.
    const orphans = all.filter(({ session }) => session === null).map(({ record }) => record);
    const records: readonly TableRecord[] = [...this.book.all(), ...orphans];
    for (const record of await takeover.judge(records)) {
      if (this.over) return;
      await takeover.sweep(record);
      if ('token' in record) this.book.drop(record.token);
      else if (this.waiting.get(record.request)?.session === null) {
        this.waiting.delete(record.request);
      }
    }
  }

  /** Most are granted before there is time to tell them for whom they wait. */
  private tellWaiting(who: 'all' | 'hurried'): void {
    if (this.over) return;
    for (const one of this.waiting.values()) {
      if (one.session === null || one.record.ticket === 0) continue;
      if (who === 'all' || one.hurry) letWait(one, one.session);
    }
  }

  /** A release, or a person, removes files without asking us. */
  private async compareWithDisk(): Promise<void> {
    const leases = this.book.all();
    const waits = [...this.waiting.values()].filter(({ filed }) => filed);
    const names = new Set(await this.deps.files.names());
    this.book.compare(leases, names);
    for (const one of waits) {
      if (names.has(recordName(one.record))) continue;
      one.filed = false;
      if (one.session === null) this.waiting.delete(one.record.request);
    }
  }

  private fileWaits(): void {
    const due = this.deps.clock.now() - FILED_AFTER_MS;
    for (const one of this.waiting.values()) {
      const { record, filed } = one;
      if (filed || record.ticket === 0 || record.requestedAt > due) continue;
      this.deps.files.add(record);
      one.filed = true;
    }
  }

  private fail(error: unknown, session: Session, request: string): void {
    if (error instanceof TableMoved) {
      this.lose(error);
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    session.tell({ op: 'failed', request, message });
  }

  private lose(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.deps.onLost(error);
  }
}
