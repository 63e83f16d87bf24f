import type { Clock } from '../ports/clock';
import { conflictsWith } from './compatibility';
import { rememberOverlaps } from './known-overlaps';
import { GrantFinder } from './grant-finder';
import { LeaseBook } from './lease-book';
import { leaseFrom, type LeaseRecord } from './lease-record';
import type { FromLeader, ToLeader } from './leader-messages';
import { describeBlocker, planGrants, type ConflictTest, type LockTable } from './lock-table';
import type { NumberRange } from './number-range';
import { Returns } from './returns';
import { isSameProcess } from './same-process';
import type { StoredTable, TableFiles } from './table-files';
import { TableMoved } from './table-files';
import { TableJudge } from './table-judge';
import type { Takeover } from './takeover';
import { newsFor, WaitingRoom, type Session, type Waiting } from './waiting';

export interface TableLeaderDeps {
  readonly clock: Clock;
  readonly files: TableFiles;
  readonly takeover: Takeover;
  readonly numbers: NumberRange;
  /** Called once when the table cannot be written any more, or was taken over. */
  readonly onLost: (error: unknown) => void;
}

/** A lease that is on disk, and who is to be told. */
interface Granting {
  readonly session: Session;
  readonly lease: LeaseRecord;
}

/** A process whose lines are closed takes a moment to be gone. */
const JUDGE_AGAIN_MS = [0, 15, 40];
/** Who waits longer than this is on disk, for people and for the next leader. */
const FILED_AFTER_MS = 250;
/** Who waits longer than this is told for whom. */
const TOLD_AFTER_MS = 50;

/**
 * The lock table in the memory of the one process that leads. What is said to it in one turn is decided
 * together. Each lease is on disk before its owner is told; the rules are in lock-table.
 */
export class TableLeader {
  private readonly book: LeaseBook;
  private readonly waiting: WaitingRoom;
  private readonly returns = new Returns();
  private readonly judges: TableJudge;
  private readonly conflicts: ConflictTest;
  private readonly finder: GrantFinder;
  private settling = false;
  private over = false;

  constructor(
    private readonly deps: TableLeaderDeps,
    stored: StoredTable,
  ) {
    this.book = new LeaseBook(deps.files, stored);
    this.waiting = new WaitingRoom(deps.files, stored.waiters);
    const { book, waiting } = this;
    this.judges = new TableJudge({ ...deps, book, waiting, isOver: () => this.over });
    const overlap = rememberOverlaps();
    this.conflicts = (request, holder) => conflictsWith(request, holder, overlap);
    this.finder = new GrantFinder(this.conflicts);
  }

  receive(session: Session, message: ToLeader): void {
    if (this.over) return;
    switch (message.op) {
      case 'acquire':
        this.enqueue(session, message);
        break;
      case 'withdraw':
        this.waiting.remove(message.request);
        this.tell(session, { op: 'withdrawn', request: message.request });
        break;
      case 'released':
        this.takeBack(session, message.token);
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
    this.waiting.leave(session);
    this.returns.forget(session);
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
    return this.judges.judge();
  }

  /** To be called every tenth of a second: finds the dead, the silent, and what others took away. */
  async tick(): Promise<void> {
    try {
      await this.deps.files.assertHere();
      if (this.over) return;
      for (const session of this.returns.overdue()) this.tell(session, { op: 'gone' });
      if (this.waiting.size === 0) return;
      this.waiting.file(this.deps.clock.now() - FILED_AFTER_MS);
      await this.judge();
      this.tellWaiting('late');
    } catch (error) {
      this.lose(error);
    }
  }

  /** Decides nothing from now on. What was given back and is still there, its owner removes. */
  stop(): void {
    this.over = true;
    this.deps.files.close();
  }

  private tell(session: Session, message: FromLeader): void {
    const gone = this.returns.take(session);
    session.tell(gone === null ? message : { ...message, gone });
  }

  private enqueue(session: Session, { ask, hurry }: ToLeader & { op: 'acquire' }): void {
    const given = this.book.givenTo(ask.request);
    if (given === null) this.waiting.enter(session, ask, hurry);
    else this.tellGrant(session, given);
  }

  private tellGrant(
    session: Session,
    { request, token, task, slot, grantedAt }: LeaseRecord,
  ): void {
    this.tell(session, { op: 'granted', request, token, task, slot, grantedAt });
  }

  private takeBack(session: Session, token: number): void {
    const lease = this.book.get(token);
    if (lease !== null && !isSameProcess(lease.owner, session.owner)) return;
    if (lease !== null) this.book.giveBack(lease);
    this.returns.note(session, token);
  }

  private settleSoon(): void {
    if (this.settling) return;
    this.settling = true;
    setImmediate(() => {
      this.settling = false;
      this.settle();
    });
  }

  /** Decides what was said in this turn. */
  private settle(): void {
    if (this.over) return;
    const { files } = this.deps;
    const granted = this.waiting.size > 0 ? this.decide() : [];
    // To be told of nothing: this process leads no more.
    if (granted === null) return;
    const returned = this.returns.cut();
    const confirm = (): void => {
      this.returns.confirm(returned);
    };
    if (files.removeSpares()) confirm();
    else this.loseUnless(files.assertHere().then(confirm));
    for (const { session, lease } of granted) this.tellGrant(session, lease);
  }

  private loseUnless(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.lose(error);
    });
  }

  /** Those who are granted now; their leases are on disk. `null`: the table was taken over meanwhile. */
  private decide(): readonly Granting[] | null {
    const { numbers } = this.deps;
    const needed = 2 * this.waiting.size;
    if (!numbers.has(needed)) {
      this.loseUnless(
        numbers.refill(needed).then(() => {
          this.settleSoon();
        }),
      );
      return [];
    }
    this.waiting.number(() => numbers.next());
    const queue = this.waiting.queue();
    const granted: Granting[] = [];
    for (const { ticket, slot } of this.finder.find(this.tableOf(queue))) {
      const one = queue.get(ticket);
      // Somebody who is not here keeps its place, but gets nothing.
      if (one?.session) granted.push(...this.grant(one, one.session, slot));
    }
    const hurry = this.waiting.all().some((one) => one.session !== null && one.hurry);
    // Before anybody is sent away, the dead are.
    if (hurry)
      void this.judge().then(() =>
        setImmediate(() => {
          this.tellWaiting('hurried');
        }),
      );
    return this.over ? null : granted;
  }

  private tableOf(queue: ReadonlyMap<number, Waiting>): LockTable {
    return { leases: this.book.all(), waiters: [...queue.values()].map(({ record }) => record) };
  }

  private grant(one: Waiting, session: Session, slot: number | null): readonly Granting[] {
    const { clock, numbers } = this.deps;
    const { request } = one.record;
    const lease = leaseFrom(one.record, { token: numbers.next(), slot, grantedAt: clock.now() });
    try {
      this.book.add(lease);
    } catch (error) {
      this.waiting.remove(request);
      this.fail(error, session, request);
      return [];
    }
    this.waiting.remove(request);
    return [{ session, lease }];
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
      this.tell(session, { op: 'widened', request, holders: names });
      return;
    }
    book.widen(lease, { number: numbers.next(), writes, at: clock.now() });
    this.tell(session, { op: 'widened', request, holders: [] });
  }

  /** Sends the dead and the silent away, and decides anew. */
  private async judge(): Promise<void> {
    try {
      await this.judges.judge();
    } catch (error) {
      this.lose(error);
    }
    if (!this.over && this.waiting.size > 0) this.settleSoon();
  }

  /** Most are granted before there is time to tell them for whom they wait. */
  private tellWaiting(who: 'late' | 'hurried'): void {
    if (this.over) return;
    const due = this.deps.clock.now() - TOLD_AFTER_MS;
    const queue = this.waiting.queue();
    const isDue = ({ record, hurry }: Waiting): boolean =>
      who === 'late' ? record.requestedAt <= due : hurry;
    if (![...queue.values()].some(isDue)) return;
    for (const [ticket, decision] of planGrants(this.tableOf(queue), this.conflicts)) {
      const one = queue.get(ticket);
      // Who can be granted now will be, in a moment.
      if (decision.granted || !one?.session || !isDue(one)) continue;
      const news = newsFor(one, decision.blockers);
      if (news !== null) this.tell(one.session, news);
    }
  }

  private fail(error: unknown, session: Session, request: string): void {
    if (error instanceof TableMoved) {
      this.lose(error);
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    this.tell(session, { op: 'failed', request, message });
  }

  private lose(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.deps.onLost(error);
  }
}
