import type { RunEvent } from '../model/event';
import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { TaskState } from '../model/task-state';
import { isHolding, isSettled } from '../model/task-state';
import { taskAt, without } from './problem';
import type { RunState } from './run-state';
import { admitReady } from './run-state';

/**
 * The state after an event, without any decision: `fold(evolve, journal)` is the live state. An
 * event that does not fit the task's state (a late report about a task already settled, a task of
 * another plan) changes nothing.
 */
export function evolve(state: RunState, event: RunEvent): RunState {
  return 'task' in event ? evolveTask(state, event) : evolveRun(state, event);
}

type TaskEvent = Extract<RunEvent, { readonly task: TaskId }>;

function evolveRun(state: RunState, event: Exclude<RunEvent, TaskEvent>): RunState {
  switch (event.type) {
    case 'run:started':
    case 'run:resumed':
      return { ...state, started: true, mode: 'running', outcome: null };
    case 'run:joined':
      return { ...state, started: true };
    case 'run:mode':
      return { ...state, mode: event.mode };
    case 'run:finished':
      return { ...state, outcome: event.outcome };
    case 'barrier:opened':
      return openBarrier(state, event.barrier);
    case 'barrier:broken':
    case 'barrier:waiting':
    case 'barrier:left':
    case 'control:requested':
    case 'run:overdue':
    case 'run:resized':
    case 'target:advanced':
    case 'target:held':
      return state;
    // A newer writer's event: this version's decisions do not depend on it.
    default:
      return state;
  }
}

function evolveTask(state: RunState, event: TaskEvent): RunState {
  const index = state.problem.indexOf.get(event.task);
  if (index === undefined) return state;
  if (event.type === 'task:waiting') {
    return state.waiting.includes(index) ? state : { ...state, waiting: [...state.waiting, index] };
  }
  const before = state.tasks.get(index);
  const after = nextTaskState(before, event);
  if (after === null) return state;
  const next = replace(state, index, before, after);
  if (event.type === 'attempt:failed') return countFailure(next, index, event.failure);
  return after.name === 'landed' ? releaseDependants(next, index) : next;
}

/** The transition table; `null` where the event does not apply. */
function nextTaskState(before: TaskState, event: TaskEvent): TaskState | null {
  const { attempt } = before;
  switch (event.type) {
    case 'task:leasing':
      return before.name === 'pending' ? { name: 'leasing', attempt } : null;
    case 'task:leased':
      return before.name === 'leasing'
        ? { name: 'running', attempt, slot: event.slot, token: event.token }
        : null;
    case 'task:withdrawn':
      if (before.name === 'leasing') return { name: 'pending', attempt };
      return isSettled(before) ? null : { name: 'pending', attempt: attempt + 1 };
    case 'task:verifying':
      return before.name === 'running' ? { ...before, name: 'verifying' } : null;
    case 'task:queued':
    case 'task:cached':
      return isSettled(before) ? null : { name: 'queued', attempt, candidate: event.candidate };
    case 'task:merging':
      return before.name === 'queued' ? { ...before, name: 'merging' } : null;
    case 'task:landed':
      return isSettled(before) ? null : { name: 'landed', attempt, commit: event.commit };
    case 'task:retrying':
      return isSettled(before)
        ? null
        : {
            name: 'backoff',
            attempt: event.attempt,
            retryAt: event.retryAt,
            failure: event.failure,
          };
    case 'timer:due':
      return before.name === 'backoff' ? { name: 'pending', attempt } : null;
    case 'task:failed':
      return isSettled(before) ? null : { name: 'failed', attempt, failure: event.failure };
    case 'task:blocked':
      return isSettled(before) ? null : { name: 'blocked', attempt, by: event.by };
    case 'task:conflicted':
      return isSettled(before) ? null : { name: 'conflicted', attempt, paths: event.paths };
    case 'task:cancelled':
      return isSettled(before) ? null : { name: 'cancelled', attempt, by: event.by };
    case 'attempt:failed':
      return isSettled(before) ? null : before;
    case 'task:started':
    case 'task:waiting':
    case 'task:progress':
    case 'process:started':
    case 'task:overdue':
    case 'task:widened':
    case 'task:healing':
    case 'task:healed':
    case 'task:stolen':
    case 'task:reopened':
      return null;
    // A newer writer's event.
    default:
      return null;
  }
}

function replace(state: RunState, index: number, before: TaskState, after: TaskState): RunState {
  if (before === after) return state;
  const next: RunState = {
    ...state,
    tasks: state.tasks.with(index, after),
    ready: without(state.ready, index),
    waiting: without(state.waiting, index),
    holding: isHolding(after)
      ? state.holding.includes(index)
        ? state.holding
        : [...state.holding, index]
      : without(state.holding, index),
    settled: state.settled + Number(isSettled(after)) - Number(isSettled(before)),
  };
  return after.name === 'pending' ? admitReady(next, [index]) : next;
}

function countFailure(state: RunState, index: number, failure: Failure): RunState {
  const costs = classifyFailure(failure) === 'free-retry' ? 0 : 1;
  return {
    ...state,
    failures: state.failures.with(index, failure),
    spent: state.spent.with(index, state.spent.get(index) + costs),
  };
}

/** What landed frees: its dependants lose one unmet dependency, its phase one open task. */
function releaseDependants(state: RunState, index: number): RunState {
  const { graph, indexOf } = state.problem;
  const { id } = taskAt(state.problem, index);
  let { unmet } = state;
  const freed: number[] = [];
  for (const dependant of graph.dependants(id)) {
    const at = indexOf.get(dependant);
    if (at === undefined) continue;
    unmet = unmet.with(at, unmet.get(at) - 1);
    freed.push(at);
  }
  const phase = graph.phaseIndex(id);
  const phaseLeft =
    phase < 0
      ? state.phaseLeft
      : state.phaseLeft.map((left, at) => (at === phase ? left - 1 : left));
  return admitReady({ ...state, unmet, phaseLeft }, freed);
}

function openBarrier(state: RunState, barrier: string): RunState {
  const { plan, graph, indexOf } = state.problem;
  const opened = plan.phases.indexOf(barrier);
  if (opened < state.openPhase) return state;
  const next = { ...state, openPhase: opened + 1 };
  const name = plan.phases[opened + 1];
  if (name === undefined) return next;
  const members = graph.phaseMembers(name).map((id) => indexOf.get(id) ?? -1);
  return admitReady(
    next,
    members.filter((member) => member >= 0),
  );
}
