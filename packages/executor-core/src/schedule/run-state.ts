import type { Access } from '../model/access';
import type { RunMode, RunOutcome } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import type { TaskState } from '../model/task-state';
import { isSettled } from '../model/task-state';
import { Chunked } from './chunked';
import { widened, type ExtraWrites } from './conflicts';
import { IndexSet } from './index-set';
import { NO_CLASS } from './limit-classes';
import type { Problem } from './problem';
import { ReadyQueue } from './ready-queue';

/** A task in a slot whose agent waits at the barrier after a phase, both by position in the plan. */
export interface Waiter {
  readonly task: number;
  readonly phase: number;
}

/** A retry that was asked for while no run went on. */
export interface AskedRetry {
  readonly target: string;
  readonly by: string;
}

/**
 * Everything the scheduler knows: a fold of `evolve` over the journal. Sets and lists hold plan
 * indexes, but for `ready`. Invariants: `ready` holds the ranks of exactly the pending tasks whose
 * dependencies landed and whose phase is open; `holding` is exactly the tasks for which `isHolding`
 * is true, and `atWork` those of them that were not handed in yet.
 */
export interface RunState {
  readonly problem: Problem;
  readonly started: boolean;
  /** From when the run's deadline counts (epoch ms). */
  readonly startedAt: number | null;
  readonly mode: RunMode;
  /** Agents are stopped where they are; only in mode `paused`. */
  readonly suspended: boolean;
  readonly outcome: RunOutcome | null;
  /** A task failed whose failure ends the run: nothing is tried again. */
  readonly failedFast: boolean;
  /** Most tasks in slots at once; slots are numbered from 1 to this. */
  readonly maxAgents: number;
  readonly tasks: Chunked<TaskState>;
  /** Dependencies that have not landed yet, per task. */
  readonly unmet: Chunked<number>;
  /** Retries consumed, per task; a free retry does not count. */
  readonly spent: Chunked<number>;
  /** Free retries made, per task. */
  readonly free: Chunked<number>;
  /** Highest fencing token seen, per task: a lease with this one or an older one is no news. */
  readonly tokens: Chunked<number>;
  /** How often each task asked for its leases since it last got them: a withdrawn request may be granted. */
  readonly asks: Chunked<number>;
  /** When each task first started (epoch ms): its deadline counts from there. */
  readonly firstStarts: Chunked<number | null>;
  readonly ready: ReadyQueue;
  readonly holding: IndexSet;
  readonly atWork: IndexSet;
  /** Tasks in `leasing` that wait for a holder outside this scheduler's view. */
  readonly waiting: IndexSet;
  readonly settled: number;
  /** Settled tasks that will not land, and those of them that were cancelled. */
  readonly dead: number;
  readonly cancelled: number;
  /** Phases whose tasks may start: those with an index of at most this. */
  readonly openPhase: number;
  /** Tasks of each phase that have not landed. */
  readonly phaseLeft: readonly number[];
  /** Tasks of each phase that will not land unless they are reopened. */
  readonly phaseDead: readonly number[];
  /** Barriers that were reported broken and still are, by position. */
  readonly broken: readonly number[];
  readonly waiters: readonly Waiter[];
  readonly extraWrites: ExtraWrites;
  /** Profile that last worked in each slot, slot 1 first. */
  readonly lastProfiles: readonly (string | null)[];
  readonly asked: readonly AskedRetry[];
}

/** The state before the first event. */
export function initialState(problem: Problem): RunState {
  const { plan, members } = problem;
  const count = plan.tasks.length;
  const all = <T>(value: T): Chunked<T> => Chunked.from(new Array<T>(count).fill(value));
  const none = IndexSet.of(count);
  const state: RunState = {
    problem,
    started: false,
    startedAt: null,
    mode: 'running',
    suspended: false,
    outcome: null,
    failedFast: false,
    maxAgents: plan.settings.maxAgents,
    tasks: all<TaskState>({ name: 'pending', attempt: 1 }),
    unmet: Chunked.from(plan.tasks.map(({ dependsOn }) => countDistinct(dependsOn))),
    spent: all(0),
    free: all(0),
    tokens: all(0),
    asks: all(0),
    firstStarts: all<number | null>(null),
    ready: queueOf(problem, []),
    holding: none,
    atWork: none,
    waiting: none,
    settled: 0,
    dead: 0,
    cancelled: 0,
    openPhase: 0,
    phaseLeft: members.map((tasks) => tasks.length),
    phaseDead: plan.phases.map(() => 0),
    broken: [],
    waiters: [],
    extraWrites: new Map(),
    lastProfiles: [],
    asked: [],
  };
  return changed(state, { ready: queueOf(problem, idleRanks(state)) });
}

/** The queue of a plan at the beginning, its first phase open, with these ranks in it. */
export function queueOf(problem: Problem, ranks: readonly number[]): ReadyQueue {
  const { plan, order } = problem;
  const layout = {
    classes: Int32Array.from(order, (index) => problem.classOf[index] ?? NO_CLASS),
    classCount: problem.limits.length,
    phases: Int32Array.from(order, (index) => problem.phaseOf[index] ?? -1),
    phaseCount: plan.phases.length,
  };
  return ReadyQueue.of(layout, ranks);
}

/** Ranks of the tasks that wait for nothing, but perhaps for their phase. */
export function idleRanks(state: RunState): readonly number[] {
  const { order } = state.problem;
  return order.flatMap((index, rank) => (waitsForNothing(state, index) ? [rank] : []));
}

function countDistinct(ids: readonly TaskId[]): number {
  return ids.length < 2 ? ids.length : new Set(ids).size;
}

/**
 * The state with some fields changed. A spread with fields behind it takes ten times as long where its
 * source was made by one: V8 then keeps the fields outside of the object.
 */
export function changed(state: RunState, changes: Partial<RunState>): RunState {
  return Object.assign({ ...state }, changes);
}

/** `true` for a pending task of which all dependencies landed; the queue knows about its phase. */
export function waitsForNothing(state: RunState, index: number): boolean {
  return state.tasks.get(index).name === 'pending' && state.unmet.get(index) === 0;
}

/** State of one task by name; `undefined` for a task of another plan. */
export function stateOf(state: RunState, task: TaskId): TaskState | undefined {
  const index = state.problem.indexOf.get(task);
  return index === undefined ? undefined : state.tasks.get(index);
}

/** What the task may read and write now: what the plan says and what it was granted while it worked. */
export function accessOf(state: RunState, task: Task): Access {
  return widened(task, state.extraWrites);
}

/** `true` for a task that will not land unless it is reopened. */
export function isDead(state: TaskState): boolean {
  return isSettled(state) && state.name !== 'landed';
}
