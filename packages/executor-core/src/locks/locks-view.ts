import type { Resource } from '../model/access';
import { slotName } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { TableRecord } from './lease-record';
import { describeBlocker, planGrants, type LockTable } from './lock-table';

/** What leases and waits show of themselves. */
interface Shown {
  readonly task: string;
  readonly run: string;
  readonly priority: number;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly resources: readonly Resource[];
  /** Epoch ms: granted, or asked for. */
  readonly since: number;
  readonly owner: ProcessIdentity;
  /** `false`: its process is gone, and whoever needs it next gets it. */
  readonly alive: boolean;
}

export interface HeldLock extends Shown {
  /** `agent-3`; `null` for what is kept after the agent's work, or needs no slot. */
  readonly agent: string | null;
  readonly token: number;
}

export interface WaitingForLocks extends Shown {
  /** Holders and earlier waiters in its way, see `describeBlocker`. */
  readonly waitingFor: readonly string[];
}

/** Who holds what and who waits for whom, oldest first. JSON-safe. */
export interface LocksView {
  readonly held: readonly HeldLock[];
  readonly waiting: readonly WaitingForLocks[];
}

/** The table for people and other programs. Waits shorter than a quarter of a second may be missing. */
export function viewLocks(
  table: LockTable,
  isAlive: (owner: ProcessIdentity) => boolean,
): LocksView {
  const plan = planGrants(table);
  return {
    held: table.leases.map((lease) => ({
      ...shown(lease, lease.grantedAt, isAlive),
      agent: lease.slot === null ? null : slotName(lease.slot),
      token: lease.token,
    })),
    waiting: table.waiters.map((wait) => {
      const decision = plan.get(wait.ticket);
      const blockers = decision?.granted === false ? decision.blockers : [];
      return {
        ...shown(wait, wait.requestedAt, isAlive),
        waitingFor: blockers.map(describeBlocker),
      };
    }),
  };
}

function shown(
  record: TableRecord,
  since: number,
  isAlive: (owner: ProcessIdentity) => boolean,
): Shown {
  const { task, run, priority, access, resources, owner } = record;
  const { reads, writes } = access;
  return { task, run, priority, reads, writes, resources, since, owner, alive: isAlive(owner) };
}
