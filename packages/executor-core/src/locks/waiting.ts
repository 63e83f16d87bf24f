import type { TableRecord, WaitRecord } from './lease-record';
import type { FromLeader } from './leader-messages';
import { describeBlocker } from './lock-table';

/** A process, or this one, that asks. */
export interface Session {
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
  /** Those in its way, as last decided. */
  blockers: readonly TableRecord[];
  told: string | null;
}

export function waitingFor(record: WaitRecord, { filed }: { readonly filed: boolean }): Waiting {
  return { record, session: null, filed, hurry: false, blockers: [], told: null };
}

/** Tells its owner for whom it waits, if that is news. */
export function letWait(one: Waiting, session: Session): void {
  one.hurry = false;
  const holders = one.blockers.map(describeBlocker);
  const text = holders.join('\n');
  if (one.told === text) return;
  one.told = text;
  const { request, ticket } = one.record;
  session.tell({ op: 'waiting', request, ticket, holders });
}
