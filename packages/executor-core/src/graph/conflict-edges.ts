import type { TaskId } from '../model/ids';
import { conflictPairs, type ConflictReason } from './conflict-pairs';
import type { NodeTable } from './node-table';
import type { TaskGraph } from './task-graph';

/** Two tasks that nothing orders and that may not run at once. `a` comes before `b` in the plan. */
export interface ConflictEdge {
  readonly a: TaskId;
  readonly b: TaskId;
  readonly why: ConflictReason;
}

/**
 * The conflict edges between tasks that neither dependencies nor barriers order, in plan order.
 * Undeclared write sets conflict with everything, so the result can be quadratic in the number of
 * tasks: `limit` ends the search after that many edges.
 */
export function conflictEdges(graph: TaskGraph, limit = Infinity): readonly ConflictEdge[] {
  const ordered = orderedBefore(graph.nodes);
  const edges: ConflictEdge[] = [];
  if (limit <= 0) return edges;
  for (const pair of conflictPairs(graph.tasks, (a, b) => !ordered(a, b) && !ordered(b, a))) {
    const [a, b] = [graph.ids[pair.a], graph.ids[pair.b]];
    if (a === undefined || b === undefined) continue;
    edges.push({ a, b, why: pair.why });
    if (edges.length >= limit) break;
  }
  return edges;
}

/**
 * Tells whether node `a` comes before node `b`, over dependencies and barriers: the transitive closure, as
 * one bit set of predecessors per node, in O(edges · nodes / 32).
 */
export function orderedBefore({
  order,
  predecessors,
}: NodeTable): (a: number, b: number) => boolean {
  const words = Math.ceil(order.length / 32);
  const before = order.map(() => new Uint32Array(0));
  for (const node of order) {
    const bits = new Uint32Array(words);
    for (const other of predecessors[node] ?? []) {
      before[other]?.forEach((word, at) => {
        bits[at] = (bits[at] ?? 0) | word;
      });
      bits[other >>> 5] = (bits[other >>> 5] ?? 0) | (1 << (other & 31));
    }
    before[node] = bits;
  }
  return (a, b) => (((before[b]?.[a >>> 5] ?? 0) >>> (a & 31)) & 1) === 1;
}
