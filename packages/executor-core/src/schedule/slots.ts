import { slotName } from '../model/ids';
import type { Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import { taskAt } from './problem';
import type { RunState } from './run-state';

/**
 * The slots a task may take, in order of preference: its home, then idle slots whose last task had
 * the same profile, then other idle ones, then busy ones, which may be free when the lease is granted;
 * the lowest first in each group.
 */
export function slotsFor(state: RunState, task: Task): readonly number[] {
  const busy = busySlots(state);
  const costOf = (slot: number): number => {
    if (slot === task.homeSlot) return 0;
    if (busy.has(slot)) return 3;
    return state.lastProfiles[slot - 1] === task.profile ? 1 : 2;
  };
  return Array.from({ length: state.maxAgents }, (_, at) => at + 1).sort(
    (a, b) => costOf(a) - costOf(b) || a - b,
  );
}

/** Why a task works in `slot` and not in its home; `null` when nothing keeps it from its home. */
export function stealReason(state: RunState, task: Task, slot: number): string | null {
  const home = task.homeSlot;
  if (slot === home) return null;
  if (home > state.maxAgents) return `${slotName(home)} is beyond the ${state.maxAgents} in use`;
  const there = busySlots(state).get(home);
  return there === undefined ? null : `${slotName(home)} is busy with ${there.id}`;
}

function busySlots(state: RunState): ReadonlyMap<number, Task> {
  const busy = new Map<number, Task>();
  state.atWork.some((index) => {
    const now = state.tasks.get(index);
    if (isInSlot(now)) busy.set(now.slot, taskAt(state.problem, index));
    return false;
  });
  return busy;
}
