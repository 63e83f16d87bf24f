import { shortOf } from './compatibility';
import type { TableRecord, WaitRecord } from './lease-record';
import {
  exclude,
  freeSlot,
  queueOrder,
  takenSlots,
  type ConflictTest,
  type LockTable,
} from './lock-table';

export interface Grant {
  readonly ticket: number;
  /** See `LeaseRecord.slot`. */
  readonly slot: number | null;
}

/**
 * The grants of `planGrants`, found again and again in a table that changes little. Of those who wait
 * in vain it remembers one who is in the way: as long as that one is there, whether it waits or holds,
 * nothing else need be looked at. That is so because who is before another stays before it, and what
 * a record holds only grows.
 */
export class GrantFinder {
  /** Name of the request that is in the way; see `Claim.request`. */
  private readonly obstacles = new WeakMap<WaitRecord, string>();

  constructor(private readonly conflicts: ConflictTest) {}

  find(table: LockTable): readonly Grant[] {
    const { leases, waiters } = table;
    const present = new Set<string>();
    for (const { request } of leases) present.add(request);
    for (const { request } of waiters) present.add(request);
    const slots = takenSlots(leases);
    const ahead: TableRecord[] = [...leases];
    const grants: Grant[] = [];
    for (const waiter of [...waiters].sort(queueOrder)) {
      if (!this.isBlocked(waiter, ahead, present)) {
        const slot = freeSlot(waiter, slots);
        if (slot !== undefined) grants.push({ ticket: waiter.ticket, slot });
        if (slot !== undefined && slot !== null) slots.set(slot, waiter);
      }
      ahead.push(waiter);
    }
    return grants;
  }

  private isBlocked(
    waiter: WaitRecord,
    ahead: readonly TableRecord[],
    present: ReadonlySet<string>,
  ): boolean {
    const known = this.obstacles.get(waiter);
    if (known !== undefined && present.has(known)) return true;
    for (const other of ahead) {
      if (!exclude(waiter, other, this.conflicts)) continue;
      this.obstacles.set(waiter, other.request);
      return true;
    }
    // Of something counted there may be enough again although everybody is still there.
    return shortOf(waiter, ahead).length > 0;
  }
}
