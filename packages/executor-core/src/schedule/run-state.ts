import type { RunMode, RunOutcome } from '../model/event';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { TaskState } from '../model/task-state';
import { Chunked } from './chunked';
import type { Problem } from './problem';
import { insertRanked } from './problem';

/**
 * Everything the scheduler knows: a fold of `evolve` over the journal. Lists hold plan indexes.
 * Invariants: `ready` is exactly the pending tasks whose dependencies landed and whose phase is
 * open, in order of preference; `holding` is exactly the tasks for which `isHolding` is true.
 */
export interface RunState {
  readonly problem: Problem;
  readonly started: boolean;
  readonly mode: RunMode;
  readonly outcome: RunOutcome | null;
  readonly tasks: Chunked<TaskState>;
  /** Dependencies that have not landed yet, per task. */
  readonly unmet: Chunked<number>;
  /** Retries consumed, per task; a free retry does not count. */
  readonly spent: Chunked<number>;
  /** Why the last attempt of each task failed. */
  readonly failures: Chunked<Failure | null>;
  readonly ready: readonly number[];
  readonly holding: readonly number[];
  /** Tasks in `leasing` that wait for a holder outside this scheduler's view. */
  readonly waiting: readonly number[];
  readonly settled: number;
  /** Phases whose tasks may start: those with an index of at most this. */
  readonly openPhase: number;
  /** Tasks of each phase that have not landed. */
  readonly phaseLeft: readonly number[];
}

/** The state before the first event. */
export function initialState(problem: Problem): RunState {
  const { plan, graph } = problem;
  const state: RunState = {
    problem,
    started: false,
    mode: 'running',
    outcome: null,
    tasks: Chunked.from<TaskState>(plan.tasks.map(() => ({ name: 'pending', attempt: 1 }))),
    unmet: Chunked.from(plan.tasks.map((task) => graph.dependencies(task.id).length)),
    spent: Chunked.from(plan.tasks.map(() => 0)),
    failures: Chunked.from<Failure | null>(plan.tasks.map(() => null)),
    ready: [],
    holding: [],
    waiting: [],
    settled: 0,
    openPhase: 0,
    phaseLeft: plan.phases.map((phase) => graph.phaseMembers(phase).length),
  };
  const ready = plan.tasks.map((task) => task.index).filter((index) => isReady(state, index));
  ready.sort((a, b) => (problem.rank[a] ?? 0) - (problem.rank[b] ?? 0));
  return { ...state, ready };
}

/** `true` when nothing but leases and a slot stands between the task and its start. */
export function isReady(state: RunState, index: number): boolean {
  if (state.tasks.get(index).name !== 'pending' || state.unmet.get(index) !== 0) return false;
  const task = state.problem.plan.tasks[index];
  return task !== undefined && state.problem.graph.phaseIndex(task.id) <= state.openPhase;
}

/** Adds the tasks of `indexes` that are ready to the ready queue. */
export function admitReady(state: RunState, indexes: readonly number[]): RunState {
  let ready = state.ready;
  for (const index of indexes) {
    if (isReady(state, index)) ready = insertRanked(state.problem, ready, index);
  }
  return ready === state.ready ? state : { ...state, ready };
}

/** State of one task by name; `undefined` for a task of another plan. */
export function stateOf(state: RunState, task: TaskId): TaskState | undefined {
  const index = state.problem.indexOf.get(task);
  return index === undefined ? undefined : state.tasks.get(index);
}
