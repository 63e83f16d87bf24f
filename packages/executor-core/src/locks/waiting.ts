import type { ProcessIdentity } from '../model/process';
import type { Ask } from './ask';
import { recordName, type TableRecord, type WaitRecord } from './lease-record';
import type { FromLeader } from './leader-messages';
import { describeBlocker } from './lock-table';
import { isSameProcess } from './same-process';
import type { TableFiles } from './table-files';

/** A process, or this one, that asks. */
export interface Session {
  readonly owner: ProcessIdentity;
  /** Of its leases. */
  readonly ttlMs: number;
  tell(message: FromLeader): void;
}

/** A request in the queue. Without a session it was found on disk: it keeps its place for its owner. */
export interface Waiting {
  record: WaitRecord;
  session: Session | null;
  /** It has a wait file. */
  filed: boolean;
  /** Its owner waits for the first answer; cleared by it. */
  hurry: boolean;
  told: string | null;
}

/** Those who wait, by the names of their requests, and the processes that have asked. */
export class WaitingRoom {
  private readonly waiting = new Map<string, Waiting>();
  private readonly present = new Set<Session>();

  constructor(
    private readonly files: TableFiles,
    stored: readonly WaitRecord[],
  ) {
    for (const record of stored) this.waiting.set(record.request, waitingFor(record, true));
  }

  get size(): number {
    return this.waiting.size;
  }

  all(): readonly Waiting[] {
    return [...this.waiting.values()];
  }

  /** Those with a place in the queue, by their tickets. */
  queue(): ReadonlyMap<number, Waiting> {
    const queue = new Map<number, Waiting>();
    for (const one of this.waiting.values()) {
      if (one.record.ticket !== 0) queue.set(one.record.ticket, one);
    }
    return queue;
  }

  /** Gives everybody a place in the queue. */
  number(next: () => number): void {
    for (const one of this.waiting.values()) {
      if (one.record.ticket === 0) one.record = { ...one.record, ticket: next() };
    }
  }

  /** Somebody asks, or asks again: then it keeps the place it has. */
  enter(session: Session, ask: Ask, hurry: boolean): void {
    const { request } = ask;
    this.present.add(session);
    const one = this.waiting.get(request) ?? waitingFor(waitOf(ask, session), false);
    one.session = session;
    one.hurry = hurry;
    one.told = null;
    this.waiting.set(request, one);
  }

  /** The end of a wait: granted, withdrawn, or its owner has gone. Its file goes in this turn. */
  remove(request: string): void {
    const one = this.waiting.get(request);
    this.waiting.delete(request);
    if (one?.filed === true) this.files.spare(one.record);
  }

  leave(session: Session): void {
    this.present.delete(session);
    for (const [request, one] of this.waiting) if (one.session === session) this.remove(request);
  }

  /** `true`: the line on which this process has asked is open. */
  isPresent(owner: ProcessIdentity): boolean {
    for (const session of this.present) if (isSameProcess(session.owner, owner)) return true;
    return false;
  }

  /** Requests that nobody connected speaks for. */
  orphans(): readonly WaitRecord[] {
    return this.all().flatMap(({ session, record }) => (session === null ? [record] : []));
  }

  /** The file of an orphan was taken away. */
  drop(request: string): void {
    if (this.waiting.get(request)?.session === null) this.waiting.delete(request);
  }

  /** Writes down, for people and for the next leader, who waits since before `due` (epoch ms). */
  file(due: number): void {
    for (const one of this.waiting.values()) {
      const { record, filed } = one;
      if (filed || record.ticket === 0 || record.requestedAt > due) continue;
      this.files.add(record);
      one.filed = true;
    }
  }

  /** `names`: what lies on disk, looked at after `before` was written. */
  compare(before: readonly Waiting[], names: ReadonlySet<string>): void {
    for (const one of before) {
      if (names.has(recordName(one.record))) continue;
      one.filed = false;
      this.drop(one.record.request);
    }
  }
}

function waitOf(ask: Ask, { owner, ttlMs }: Session): WaitRecord {
  const { ticket, request, run, task, priority, slots } = ask;
  const { access, resources, policy, requestedAt } = ask;
  return {
    ticket,
    request,
    run,
    task,
    priority,
    owner,
    slots,
    access,
    resources,
    policy,
    ttlMs,
    requestedAt,
  };
}

function waitingFor(record: WaitRecord, filed: boolean): Waiting {
  return { record, session: null, filed, hurry: false, told: null };
}

/** What its owner is to be told of those in its way; `null` when that is no news. */
export function newsFor(one: Waiting, blockers: readonly TableRecord[]): FromLeader | null {
  one.hurry = false;
  const holders = blockers.map(describeBlocker);
  const text = holders.join('\n');
  if (one.told === text) return null;
  one.told = text;
  const { request, ticket } = one.record;
  return { op: 'waiting', request, ticket, holders };
}
