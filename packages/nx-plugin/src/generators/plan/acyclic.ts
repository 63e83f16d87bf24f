/**
 * The same edges without those that would close a cycle; deterministic in the order of the map and of
 * the lists. Projects may depend on each other in a circle, tasks may not. Depth-first, O(V + E).
 */
export function withoutCycles(
  edges: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const kept = new Map<string, string[]>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (node: string): void => {
    state.set(node, 'open');
    const targets: string[] = [];
    kept.set(node, targets);
    for (const target of edges.get(node) ?? []) {
      if (state.get(target) === undefined) visit(target);
      if (state.get(target) === 'done') targets.push(target);
    }
    state.set(node, 'done');
  };
  for (const node of edges.keys()) if (state.get(node) === undefined) visit(node);
  return kept;
}
