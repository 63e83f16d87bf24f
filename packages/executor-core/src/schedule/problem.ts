import { bottomLevels } from '../graph/critical-path';
import type { TaskGraph } from '../graph/task-graph';
import { buildTaskGraph } from '../graph/task-graph';
import type { TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { priorityClass } from '../model/task';
import { Conflicts } from './conflicts';
import { GateMemory } from './gate-memory';
import { limitClasses, type Limit } from './limit-classes';

/** What does not change while a run goes on: the plan, its graph, and the order of preference. */
export interface Problem {
  readonly plan: Plan;
  readonly graph: TaskGraph;
  readonly indexOf: ReadonlyMap<TaskId, number>;
  /** Position of each task (by plan index) in the order of preference; smaller starts first. */
  readonly rank: readonly number[];
  /** Plan indexes in the order of preference: the inverse of `rank`. */
  readonly order: readonly number[];
  /** Limits of each limit class, and the class of each task by plan index. */
  readonly limits: readonly (readonly Limit[])[];
  readonly classOf: Int32Array;
  /** Phase of each task, by plan index; -1 for none. */
  readonly phaseOf: Int32Array;
  /** Plan indexes of the tasks of each phase. */
  readonly members: readonly (readonly number[])[];
  readonly conflicts: Conflicts;
  readonly gates: GateMemory;
}

/**
 * Expected time of a task in ms, from earlier runs; `null` where nothing is known about it.
 */
export type ExpectedMs = (task: Task) => number | null;

/**
 * Prepares a plan for `decide`. Order of preference: milestones (they cost nothing and free others),
 * then priority class, then the longest path to the end (critical-path list scheduling), then plan
 * order. The path is measured in expected time; a task of which nothing is known counts as one whose
 * time is the median of the known, so without any history the hops are counted.
 */
export function prepareProblem(plan: Plan, expectedMs: ExpectedMs = () => null): Problem {
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const byId = bottomLevels(graph, weights(plan, expectedMs));
  const levels = plan.tasks.map((task) => byId.get(task.id) ?? 0);
  const order = [...plan.tasks]
    .sort(
      (a, b) =>
        Number(a.profile !== null) - Number(b.profile !== null) ||
        priorityClass(a.priority) - priorityClass(b.priority) ||
        (levels[b.index] ?? 0) - (levels[a.index] ?? 0) ||
        a.index - b.index,
    )
    .map((task) => task.index);
  const rank = new Array<number>(plan.tasks.length).fill(0);
  order.forEach((index, position) => {
    rank[index] = position;
  });
  const indexOf = new Map(plan.tasks.map((task) => [task.id, task.index]));
  const conflicts = new Conflicts(plan);
  const phaseOf = Int32Array.from(plan.tasks, ({ id }) => graph.phaseIndex(id));
  const members: readonly number[][] = plan.phases.map(() => []);
  phaseOf.forEach((phase, index) => members[phase]?.push(index));
  const gates = new GateMemory(plan.tasks);
  return {
    plan,
    graph,
    indexOf,
    rank,
    order,
    ...limitClasses(plan),
    phaseOf,
    members,
    conflicts,
    gates,
  };
}

/** The task at a plan index. */
export function taskAt(problem: Problem, index: number): Task {
  const task = problem.plan.tasks[index];
  if (task === undefined) throw new RangeError(`Internal error: no task has index ${index}.`);
  return task;
}

function weights(plan: Plan, expectedMs: ExpectedMs): (task: Task) => number {
  const times = plan.tasks.map(expectedMs);
  const known = times.filter((ms) => ms !== null).sort((a, b) => a - b);
  const typical = known[known.length >> 1] ?? 1;
  return (task) => (task.profile === null ? 0 : (times[task.index] ?? typical));
}
