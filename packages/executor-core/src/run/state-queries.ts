import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
import type { TaskId } from '../model/ids';
import { mayRetry } from '../schedule/retry-policy';
import type { RunState } from '../schedule/run-state';
import { stateOf } from '../schedule/run-state';
import type { Waiting } from './lander';

/** The scheduler's own answer to a failure that is not reported yet. */
export function wouldRetry(state: RunState, task: TaskId, failure: Failure): boolean {
  const index = state.problem.indexOf.get(task);
  if (index === undefined || state.mode !== 'running') return false;
  const free = classifyFailure(failure) === 'free-retry';
  return mayRetry(state.problem.plan.settings.retry, failure, {
    spent: state.spent.get(index) + Number(!free),
    free: state.free.get(index) + Number(free),
  });
}

/** The candidates that wait to land, in plan order. */
export function waitingIn(state: RunState): readonly Waiting[] {
  return state.problem.plan.tasks.flatMap((task) => {
    const now = stateOf(state, task.id);
    return now?.name === 'queued' || now?.name === 'merging'
      ? [{ task: task.id, attempt: now.attempt, candidate: now.candidate }]
      : [];
  });
}

/** Whether the work of an agent that has ended is being made a candidate, and has no checks of its own to pass. */
export function areHandingIn({ holding, tasks, problem }: RunState): boolean {
  return holding.some(
    (index) =>
      tasks.get(index).name === 'verifying' && problem.plan.tasks[index]?.verify.length === 0,
  );
}

/** Whether tasks ask for their leases and nobody is known to be in their way: they are about to start. */
export function areAsking({ atWork, tasks, waiting }: RunState): boolean {
  return atWork.some((index) => tasks.get(index).name === 'leasing' && !waiting.has(index));
}

/** Worktrees that tasks which have not begun will need at once, at the most. */
export function worktreesToCome({ problem, mode, settled, holding, maxAgents }: RunState): number {
  if (mode !== 'running') return 0;
  return Math.max(0, Math.min(maxAgents, problem.plan.tasks.length - settled - holding.size));
}
