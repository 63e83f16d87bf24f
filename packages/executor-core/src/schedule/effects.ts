import type { EventOf } from '../model/event';
import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
import { priorityClass } from '../model/task';
import type { TaskState } from '../model/task-state';
import { isHolding, isInSlot, isSettled } from '../model/task-state';
import { isRunOverdue } from './deadlines';
import type { IndexSet } from './index-set';
import { taskAt } from './problem';
import type { RunState } from './run-state';
import { changed, isDead, waitsForNothing } from './run-state';
import type { TaskEvent } from './transitions';

/** What a kind of event does to the state beside moving its task. */
type Effects = {
  readonly [T in TaskEvent['type']]?: (
    state: RunState,
    index: number,
    event: EventOf<T>,
  ) => RunState;
};

/** The state after what an event tells whether or not it moves its task. */
export function note(state: RunState, index: number, event: TaskEvent): RunState {
  return apply(NOTES, state, index, event);
}

/** The state after what the move of a task means beyond the task. */
export function followUp(state: RunState, index: number, event: TaskEvent): RunState {
  return apply(CONSEQUENCES, state, index, event);
}

const NOTES: Effects = {
  'task:leased': (state, index, { token }) => seeToken(state, index, token),
  'task:queued': (state, index, { candidate }) => seeToken(state, index, candidate.fence),
  'task:waiting': (state, index) =>
    state.tasks.get(index).name === 'leasing'
      ? changed(state, { waiting: state.waiting.add(index) })
      : state,
  'task:widened': (state, index, { writes }) => widen(state, index, writes),
};

const CONSEQUENCES: Effects = {
  'task:leasing': (state, index) =>
    changed(state, { asks: state.asks.with(index, state.asks.get(index) + 1) }),
  'task:leased': takeSlot,
  'attempt:failed': (state, index, { failure }) => countFailure(state, index, failure),
  'task:landed': releaseDependants,
  'task:failed': (state, index) =>
    isFatal(state, index) ? changed(state, { failedFast: true }) : state,
  'task:reopened': (state, index, { at }) => startAnew(state, index, at),
};

function apply(effects: Effects, state: RunState, index: number, event: TaskEvent): RunState {
  const effect = effects[event.type] as
    ((state: RunState, index: number, event: TaskEvent) => RunState) | undefined;
  return effect === undefined ? state : effect(state, index, event);
}

function seeToken(state: RunState, index: number, token: number): RunState {
  if (token <= state.tokens.get(index)) return state;
  return changed(state, { tokens: state.tokens.with(index, token) });
}

/** More room stays with the task, for its later attempts too. */
function widen(state: RunState, index: number, writes: readonly string[]): RunState {
  if (isSettled(state.tasks.get(index))) return state;
  const before = state.extraWrites.get(index) ?? [];
  const more = writes.filter((glob, at) => !before.includes(glob) && writes.indexOf(glob) === at);
  if (more.length === 0) return state;
  const extraWrites = new Map(state.extraWrites).set(index, [...before, ...more]);
  return changed(state, { extraWrites });
}

/** Whether the failure of a task ends the run: by the plan's strategy, or because it is CRITICAL. */
export function isFatal(state: RunState, index: number): boolean {
  const { plan } = state.problem;
  if (plan.settings.failureStrategy === 'fail_fast') return true;
  return priorityClass(taskAt(state.problem, index).priority) === 0;
}

/** The state with task `index` moved from `before` to `after`; every list and count follows. */
export function replace(
  state: RunState,
  index: number,
  before: TaskState,
  after: TaskState,
): RunState {
  if (before === after) return state;
  const rank = state.problem.rank[index] ?? 0;
  const ready = after.name === 'pending' && state.unmet.get(index) === 0;
  const died = Number(isDead(after)) - Number(isDead(before));
  const changes: Partial<RunState> = {
    tasks: state.tasks.with(index, after),
    ready: ready ? state.ready.add(rank) : state.ready.delete(rank),
    waiting: state.waiting.delete(index),
    holding: put(state.holding, index, isHolding(after)),
    atWork: put(state.atWork, index, after.name === 'leasing' || isInSlot(after)),
    settled: state.settled + Number(isSettled(after)) - Number(isSettled(before)),
    dead: state.dead + died,
    cancelled:
      state.cancelled + Number(after.name === 'cancelled') - Number(before.name === 'cancelled'),
    phaseDead: countDead(state, index, died),
    waiters:
      state.waiters.length === 0 || isInSlot(after)
        ? state.waiters
        : state.waiters.filter((waiter) => waiter.task !== index),
  };
  return changed(state, changes);
}

function put(set: IndexSet, item: number, present: boolean): IndexSet {
  return present ? set.add(item) : set.delete(item);
}

function countDead(state: RunState, index: number, change: number): readonly number[] {
  const phase = change === 0 ? -1 : (state.problem.phaseOf[index] ?? -1);
  if (phase < 0) return state.phaseDead;
  return state.phaseDead.map((dead, at) => (at === phase ? dead + change : dead));
}

/** Adds the tasks of `indexes` that are ready to the ready queue. */
export function admitReady(state: RunState, indexes: readonly number[]): RunState {
  const ranks = indexes
    .filter((index) => waitsForNothing(state, index))
    .map((index) => state.problem.rank[index] ?? 0);
  const ready = state.ready.addAll(ranks);
  return ready === state.ready ? state : changed(state, { ready });
}

function takeSlot(state: RunState, index: number, event: EventOf<'task:leased'>): RunState {
  const lastProfiles = [...state.lastProfiles];
  while (lastProfiles.length < event.slot) lastProfiles.push(null);
  lastProfiles[event.slot - 1] = taskAt(state.problem, index).profile;
  const firstStarts = state.firstStarts.with(index, state.firstStarts.get(index) ?? event.at);
  return changed(state, { lastProfiles, firstStarts, asks: state.asks.with(index, 0) });
}

function countFailure(state: RunState, index: number, failure: Failure): RunState {
  return classifyFailure(failure) === 'free-retry'
    ? changed(state, { free: state.free.with(index, state.free.get(index) + 1) })
    : changed(state, { spent: state.spent.with(index, state.spent.get(index) + 1) });
}

/** A person has the task tried again: its retries and its time begin anew, and so does the run. */
function startAnew(state: RunState, index: number, at: number): RunState {
  return changed(state, {
    spent: state.spent.with(index, 0),
    free: state.free.with(index, 0),
    firstStarts: state.firstStarts.with(index, null),
    startedAt: isRunOverdue(state, at) ? at : state.startedAt,
    outcome: null,
    failedFast: false,
    asked: [],
  });
}

/** What landed frees: its dependants lose one unmet dependency, its phase one open task. */
function releaseDependants(state: RunState, index: number): RunState {
  const { graph, indexOf, phaseOf } = state.problem;
  const { id } = taskAt(state.problem, index);
  const freed = graph.dependants(id).flatMap((dependant) => indexOf.get(dependant) ?? []);
  const unmet = state.unmet.withEach(freed, (count) => count - 1);
  const phase = phaseOf[index] ?? -1;
  const phaseLeft =
    phase < 0
      ? state.phaseLeft
      : state.phaseLeft.map((left, at) => (at === phase ? left - 1 : left));
  return admitReady(changed(state, { unmet, phaseLeft }), freed);
}
