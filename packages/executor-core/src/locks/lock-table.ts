import { slotName } from '../model/ids';
import { priorityClass } from '../model/task';
import { conflictsWith, shortOf, type Demand } from './compatibility';
import { isLease, type LeaseRecord, type TableRecord, type WaitRecord } from './lease-record';

/**
 * The rules of the lock table, without files.
 *
 * - All of a task's accesses are granted at once, with a slot, or nothing is: no task holds one thing
 *   while it waits for another, so there is no deadlock.
 * - The queue is ordered by priority class, then by ticket. A request waits for every holder it
 *   conflicts with *and* for everyone before it in the queue it conflicts with: nobody is overtaken
 *   by what he waits for, so nobody starves within a class.
 * - Of a counted resource, holders and those before it in the queue leave enough, or it waits for them.
 * - A request that conflicts with nobody before it may overtake: a blocked task at the head does not
 *   hold up the others. Slots go, in queue order, to those whose accesses are free.
 * - A task never runs twice at once: two requests for the same task of one run exclude each other.
 */
export interface LockTable {
  readonly leases: readonly LeaseRecord[];
  readonly waiters: readonly WaitRecord[];
}

export type GrantDecision =
  | { readonly granted: true; readonly slot: number | null }
  /** In the way: holders and earlier waiters; without a conflict, whoever has the slots. */
  | { readonly granted: false; readonly blockers: readonly TableRecord[] };

/** `conflictsWith`, or something that remembers its answers. */
export type ConflictTest = (request: Demand, holder: Demand) => boolean;

/** Whether `request` is granted now. It need not be among the table's waiters yet. */
export function decideGrant(
  table: LockTable,
  request: WaitRecord,
  conflicts: ConflictTest = conflictsWith,
): GrantDecision {
  const others = table.waiters.filter((waiter) => waiter.ticket !== request.ticket);
  const plan = planGrants({ leases: table.leases, waiters: [...others, request] }, conflicts);
  return plan.get(request.ticket) ?? { granted: false, blockers: [] };
}

/** What becomes of every waiter now, by ticket, in queue order. The grants hold all together. */
export function planGrants(
  table: LockTable,
  conflicts: ConflictTest = conflictsWith,
): ReadonlyMap<number, GrantDecision> {
  const decisions = new Map<number, GrantDecision>();
  const slots = takenSlots(table.leases);
  const ahead: TableRecord[] = [...table.leases];

  for (const waiter of [...table.waiters].sort(queueOrder)) {
    const inTheWay = obstacles(waiter, ahead, conflicts);
    const slot = freeSlot(waiter, slots);
    if (inTheWay.length > 0 || slot === undefined) {
      const blockers = inTheWay.length > 0 ? inTheWay : slotHolders(waiter, slots);
      decisions.set(waiter.ticket, { granted: false, blockers });
    } else {
      decisions.set(waiter.ticket, { granted: true, slot });
      if (slot !== null) slots.set(slot, waiter);
    }
    ahead.push(waiter);
  }
  return decisions;
}

/** Name of a blocker for people: `landing (agent-3)`. */
export function describeBlocker(record: TableRecord): string {
  if (!isLease(record)) return `${record.task} (waiting)`;
  return record.slot === null ? record.task : `${record.task} (${slotName(record.slot)})`;
}

/** By priority class, then by ticket. */
export function queueOrder(a: WaitRecord, b: WaitRecord): number {
  return priorityClass(a.priority) - priorityClass(b.priority) || a.ticket - b.ticket;
}

function obstacles(
  waiter: WaitRecord,
  ahead: readonly TableRecord[],
  conflicts: ConflictTest,
): readonly TableRecord[] {
  const excluding = ahead.filter((other) => exclude(waiter, other, conflicts));
  if (waiter.resources.every(({ capacity = null }) => capacity === null)) return excluding;
  return [...new Set([...excluding, ...shortOf(waiter, ahead)])];
}

/** `true` when neither may be granted while the other is, whatever else there is. Symmetric. */
export function exclude(a: TableRecord, b: TableRecord, conflicts: ConflictTest): boolean {
  return (a.run === b.run && a.task === b.task) || conflicts(a, b);
}

export function takenSlots(leases: readonly LeaseRecord[]): Map<number, TableRecord> {
  const slots = new Map<number, TableRecord>();
  for (const lease of leases) if (lease.slot !== null) slots.set(lease.slot, lease);
  return slots;
}

/** `null`: it asks for none; `undefined`: all it would take are taken. */
export function freeSlot(
  waiter: WaitRecord,
  slots: ReadonlyMap<number, TableRecord>,
): number | null | undefined {
  return waiter.slots.length === 0 ? null : waiter.slots.find((number) => !slots.has(number));
}

function slotHolders(
  waiter: WaitRecord,
  slots: ReadonlyMap<number, TableRecord>,
): readonly TableRecord[] {
  return waiter.slots.flatMap((number) => slots.get(number) ?? []);
}
