import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import type { TaskGraph } from './task-graph';

/** Expected length of a task, in any unit; what is not a positive finite number counts as 0. */
export type WeightOf = (task: Task) => number;

/**
 * Longest weighted path from the start of each task to the end of the plan, its own weight included;
 * paths lead through phase barriers too. This is the priority of list scheduling (Graham 1969:
 * makespan ≤ W/p + S).
 */
export function bottomLevels(graph: TaskGraph, weightOf: WeightOf): ReadonlyMap<TaskId, number> {
  const levels = nodeLevels(graph, weightOf);
  return new Map(graph.ids.map((id, node) => [id, levels[node] ?? 0]));
}

/**
 * The tasks of a longest weighted path, first to last; ties go to the task that is first in the plan.
 * Empty for an empty graph. It may step over a barrier, so neighbours need not depend on each other.
 */
export function criticalPath(graph: TaskGraph, weightOf: WeightOf): readonly TaskId[] {
  const { order, predecessors, successors, taskCount } = graph.nodes;
  const levels = nodeLevels(graph, weightOf);
  const path: TaskId[] = [];
  const first = order.filter((node) => predecessors[node]?.length === 0);
  for (let node = longest(first, levels); node !== null; node = longest(successors[node], levels)) {
    const id = node < taskCount ? graph.ids[node] : undefined;
    if (id !== undefined) path.push(id);
  }
  return path;
}

/** Work W (sum of all weights) and span S (weight of the critical path). */
export function workAndSpan(
  graph: TaskGraph,
  weightOf: WeightOf,
): { readonly work: number; readonly span: number } {
  let span = 0;
  for (const level of nodeLevels(graph, weightOf)) span = Math.max(span, level);
  const work = graph.tasks.reduce((sum, task) => sum + safeWeight(weightOf(task)), 0);
  return { work, span };
}

function nodeLevels(graph: TaskGraph, weightOf: WeightOf): readonly number[] {
  const { order, successors } = graph.nodes;
  const levels: number[] = new Array<number>(order.length).fill(0);
  for (const node of [...order].reverse()) {
    let after = 0;
    for (const next of successors[node] ?? []) after = Math.max(after, levels[next] ?? 0);
    const task = graph.tasks[node];
    levels[node] = after + (task === undefined ? 0 : safeWeight(weightOf(task)));
  }
  return levels;
}

function longest(nodes: readonly number[] | undefined, levels: readonly number[]): number | null {
  let best: number | null = null;
  for (const node of nodes ?? []) {
    const lead = (levels[node] ?? 0) - (best === null ? -1 : (levels[best] ?? 0));
    if (lead > 0 || (lead === 0 && best !== null && node < best)) best = node;
  }
  return best;
}

function safeWeight(weight: number): number {
  return Number.isFinite(weight) && weight > 0 ? weight : 0;
}
