import type { ProcessIdentity } from '../model/process';
import type { Clock } from '../ports/clock';
import type { LeaseKeeper } from './lease-keeper';
import type { LeaseRecord, WaitRecord } from './lease-record';
import type { PendingRequest } from './lease-request';
import { describeBlocker, planGrants, type ConflictTest, type GrantDecision } from './lock-table';
import type { TableFiles } from './table-files';
import type { Takeover } from './takeover';

/** What a round works with. */
export interface RoundDeps {
  readonly clock: Clock;
  readonly files: TableFiles;
  readonly takeover: Takeover;
  readonly keeper: LeaseKeeper;
  readonly self: ProcessIdentity;
  readonly ttlMs: number;
}

/** A request whose files are about to be written; `lease` is `null` when it has to wait. */
interface Move {
  readonly pending: PendingRequest;
  readonly record: WaitRecord;
  readonly lease: LeaseRecord | null;
  readonly decision: GrantDecision;
  /** `true` when its wait file is in the table. */
  readonly filed: boolean;
}

/**
 * One round, under the table's mutex: sweeps, gives every new request its place in the queue, decides,
 * and writes what follows for the requests of this process. The counter is on disk before the first
 * lease, so that no token is given twice whatever happens in between. A lease is written before its
 * wait file goes: a process killed between the two leaves two records, and both are swept.
 */
export async function writeGrants(
  deps: RoundDeps,
  conflicts: ConflictTest,
  ours: readonly PendingRequest[],
): Promise<void> {
  const { table, doomed } = await deps.takeover.judge(await deps.files.read('fresh'));
  await deps.takeover.sweep(doomed);
  const last = await deps.files.lastNumber();
  let number = last;
  const queue = new Map(table.waiters.map((waiter) => [waiter.ticket, waiter]));
  const filed = new Set(queue.keys());
  const open = ours.filter(isOpen);
  for (const pending of open) {
    pending.record ??= toWait(deps, pending, (number += 1));
    queue.set(pending.record.ticket, pending.record);
  }

  const plan = planGrants({ leases: table.leases, waiters: [...queue.values()] }, conflicts);
  const moves: Move[] = [];
  for (const pending of open) {
    const { record } = pending;
    const decision = record === null ? undefined : plan.get(record.ticket);
    if (record === null || decision === undefined) continue;
    const lease = decision.granted ? toLease(deps, record, (number += 1), decision.slot) : null;
    moves.push({ pending, record, lease, decision, filed: filed.has(record.ticket) });
  }
  if (number > last) await deps.files.saveNumber(number);
  // Some may have been ended meanwhile; those left are ours until their files are written.
  const wanted = moves.filter(({ pending }) => isOpen(pending));
  for (const { pending } of wanted) pending.phase = 'busy';
  await Promise.all(wanted.map((move) => carryOut(deps, move)));
}

function isOpen(pending: PendingRequest): boolean {
  return pending.phase === 'new' || pending.phase === 'filed';
}

async function carryOut(deps: RoundDeps, move: Move): Promise<void> {
  try {
    await (move.lease === null ? letWait(deps, move) : grant(deps, move, move.lease));
  } catch (error) {
    move.pending.fail(error);
  }
}

async function grant(deps: RoundDeps, move: Move, lease: LeaseRecord): Promise<void> {
  const { files, keeper } = deps;
  await files.add(lease);
  if (move.filed) {
    keeper.drop(files.pathOf(move.record));
    await files.remove(move.record);
  }
  // Out of time, but here it is: a grant in hand is better than none. Aborted means unwanted.
  if (move.pending.ended === 'aborted') {
    await files.remove(lease);
    move.pending.refuse('aborted');
    return;
  }
  keeper.keep(files.pathOf(lease));
  move.pending.grant({ token: lease.token, slot: lease.slot, task: lease.task });
}

async function letWait(deps: RoundDeps, move: Move): Promise<void> {
  const { files, keeper } = deps;
  const { pending, record, decision } = move;
  if (!decision.granted) pending.waitFor(decision.blockers.map(describeBlocker));
  if (pending.ended === null && !move.filed) await files.add(record);
  if (pending.ended === null) {
    keeper.keep(files.pathOf(record));
    pending.phase = 'filed';
    return;
  }
  keeper.drop(files.pathOf(record));
  await files.remove(record);
  pending.refuse(pending.ended);
}

function toWait(deps: RoundDeps, pending: PendingRequest, ticket: number): WaitRecord {
  const { run, task, access, resources, policy, priority, slots } = pending.request;
  const requestedAt = deps.clock.now();
  return {
    ticket,
    run,
    task,
    owner: deps.self,
    priority,
    requestedAt,
    slots,
    access,
    resources,
    policy,
  };
}

function toLease(
  deps: RoundDeps,
  wait: WaitRecord,
  token: number,
  slot: number | null,
): LeaseRecord {
  const { run, task, owner, access, resources, policy } = wait;
  const { clock, ttlMs } = deps;
  return {
    token,
    run,
    task,
    owner,
    slot,
    access,
    resources,
    policy,
    grantedAt: clock.now(),
    ttlMs,
  };
}
