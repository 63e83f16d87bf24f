import { bottomLevels } from '../graph/critical-path';
import type { TaskGraph } from '../graph/task-graph';
import { buildTaskGraph } from '../graph/task-graph';
import type { TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { priorityClass } from '../model/task';

/** What does not change while a run goes on: the plan, its graph, and the order of preference. */
export interface Problem {
  readonly plan: Plan;
  readonly graph: TaskGraph;
  readonly indexOf: ReadonlyMap<TaskId, number>;
  /** Position of each task (by plan index) in the order of preference; smaller starts first. */
  readonly rank: readonly number[];
}

/**
 * Prepares a plan for `decide`. Order of preference: priority class, then the longest path to the end
 * in expected time (critical-path list scheduling), then plan order.
 *
 * @param expectedMs expected duration, from history; `null` where nothing is known. A task without one
 * counts as the mean of the others, and where none has one the path is counted in hops.
 */
export function prepareProblem(
  plan: Plan,
  expectedMs: (task: Task) => number | null = () => null,
): Problem {
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const levels = bottomLevels(graph, weights(plan, expectedMs));
  const order = [...plan.tasks].sort(
    (a, b) =>
      priorityClass(a.priority) - priorityClass(b.priority) ||
      (levels.get(b.id) ?? 0) - (levels.get(a.id) ?? 0) ||
      a.index - b.index,
  );
  const rank = new Array<number>(plan.tasks.length).fill(0);
  order.forEach((task, position) => {
    rank[task.index] = position;
  });
  return { plan, graph, indexOf: new Map(plan.tasks.map((task) => [task.id, task.index])), rank };
}

function weights(plan: Plan, expectedMs: (task: Task) => number | null): (task: Task) => number {
  const expected = plan.tasks.map(expectedMs);
  const known = expected.filter((ms, at) => ms !== null && plan.tasks[at]?.profile !== null);
  const total = known.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  const typical = total > 0 ? total / known.length : 1;
  return ({ index }) => expected[index] ?? typical;
}

/** The task at a plan index. */
export function taskAt(problem: Problem, index: number): Task {
  const task = problem.plan.tasks[index];
  if (task === undefined) throw new RangeError(`Internal error: no task has index ${index}.`);
  return task;
}

/** `items` with `index` inserted at its place in the order of preference. */
export function insertRanked(
  problem: Problem,
  items: readonly number[],
  index: number,
): readonly number[] {
  if (items.includes(index)) return items;
  const rank = problem.rank[index] ?? 0;
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((problem.rank[items[middle] ?? 0] ?? 0) < rank) low = middle + 1;
    else high = middle;
  }
  return [...items.slice(0, low), index, ...items.slice(low)];
}

/** `items` without `index`. */
export function without(items: readonly number[], index: number): readonly number[] {
  const at = items.indexOf(index);
  return at === -1 ? items : [...items.slice(0, at), ...items.slice(at + 1)];
}
