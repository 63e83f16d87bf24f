import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { taskOfTarget } from '../../agent-targets';

/**
 * Tasks of the plan that Nx ordered before the running one, nearest first, through `nx:noop` barriers.
 * Empty when Nx gives no task graph.
 */
export function upstreamTasks(context: ExecutorContext): readonly string[] {
  const { taskGraph, projectName, targetName, configurationName } = context;
  if (taskGraph === undefined || projectName === undefined || targetName === undefined) return [];
  const own = [projectName, targetName, configurationName].filter((part) => part !== undefined);
  const seen = new Set<string>();
  const queue = dependenciesOf(taskGraph, own.join(':'));
  for (const id of queue) {
    if (seen.has(id)) continue;
    seen.add(id);
    queue.push(...dependenciesOf(taskGraph, id));
  }
  return [...seen]
    .map((id) => taskOfTarget(taskGraph.tasks[id]?.target.target ?? ''))
    .filter((task) => task !== null);
}

/** Nx 23 lists task ids, Nx 24 lists objects with an `id`. */
function dependenciesOf(graph: TaskGraph, id: string): string[] {
  const edges: readonly (string | { readonly id: string })[] = graph.dependencies[id] ?? [];
  return edges.map((edge) => (typeof edge === 'string' ? edge : edge.id));
}
