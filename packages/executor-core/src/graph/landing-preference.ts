import type { TaskId } from '../model/ids';
import { bottomLevels, type WeightOf } from './critical-path';
import type { TaskGraph } from './task-graph';

/**
 * Which of two tasks had better go first: the one of higher priority, then the one with more work behind
 * it, then the one that is earlier in the graph. A task has at least the priority of what waits for it,
 * so the answers never contradict the graph: edges added by them, however many, make no cycle.
 */
export function landingPreference(
  graph: TaskGraph,
  weightOf: WeightOf,
): (a: TaskId, b: TaskId) => number {
  const { order, successors } = graph.nodes;
  const priorities: number[] = order.map(() => 0);
  const places: number[] = order.map(() => 0);
  [...order].reverse().forEach((node, at) => {
    const own = graph.tasks[node]?.priority ?? 0;
    const behind = (successors[node] ?? []).map((next) => priorities[next] ?? 0);
    priorities[node] = Math.max(own, ...behind);
    places[node] = order.length - at;
  });
  const levels = bottomLevels(graph, weightOf);
  return (a, b) => {
    const [one, other] = [graph.indexOf(a), graph.indexOf(b)];
    return (
      (priorities[other] ?? 0) - (priorities[one] ?? 0) ||
      (levels.get(b) ?? 0) - (levels.get(a) ?? 0) ||
      (places[one] ?? 0) - (places[other] ?? 0)
    );
  };
}
