import type { Failure } from '../model/failure';
import { taskAt } from './problem';
import type { RunState } from './run-state';

/** When the time of a task over all its attempts is up (epoch ms); `null`: never, or not begun. */
export function taskDeadline(state: RunState, index: number): number | null {
  const { deadlineMs } = taskAt(state.problem, index);
  const from = deadlineMs === null ? null : state.firstStarts.get(index);
  return deadlineMs === null || from === null ? null : from + deadlineMs;
}

/** When the time of the run is up (epoch ms); `null`: never, or not begun. */
export function runDeadline(state: RunState): number | null {
  const { deadlineMs } = state.problem.plan.settings;
  return deadlineMs === null || state.startedAt === null ? null : state.startedAt + deadlineMs;
}

/** Whether the run's time is up at `at` (epoch ms). */
export function isRunOverdue(state: RunState, at: number): boolean {
  const deadline = runDeadline(state);
  return deadline !== null && at >= deadline;
}

/** The failure of a task whose time, or whose run's time, is up at `at` (epoch ms); else `null`. */
export function deadlineFailure(state: RunState, index: number, at: number): Failure | null {
  const { deadlineMs } = state.problem.plan.settings;
  if (isRunOverdue(state, at)) return { kind: 'deadline', scope: 'run', afterMs: deadlineMs ?? 0 };
  const deadline = taskDeadline(state, index);
  const afterMs = taskAt(state.problem, index).deadlineMs ?? 0;
  return deadline !== null && at >= deadline ? { kind: 'deadline', scope: 'task', afterMs } : null;
}
