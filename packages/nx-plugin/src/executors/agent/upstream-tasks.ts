import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { taskOfTarget } from '../../agent-targets';

/** Id of the task Nx runs with this context; `null` when Nx does not say. */
export function nxTaskOf(context: ExecutorContext): string | null {
  const { projectName, targetName, configurationName } = context;
  if (projectName === undefined || targetName === undefined) return null;
  return [projectName, targetName, configurationName]
    .filter((part) => part !== undefined)
    .join(':');
}

/** Tasks of the plan that Nx orders before the task `nxTask`, nearest first, through `nx:noop` barriers. */
export function upstreamTasks(graph: TaskGraph, nxTask: string): readonly string[] {
  const seen = new Set<string>();
  const queue = [...dependenciesOf(graph, nxTask)];
  for (const id of queue) {
    if (seen.has(id)) continue;
    seen.add(id);
    queue.push(...dependenciesOf(graph, id));
  }
  return [...seen]
    .map((id) => taskOfTarget(graph.tasks[id]?.target.target ?? ''))
    .filter((task) => task !== null);
}

/** Ids of what a task waits for: Nx 23 lists them, Nx 24 lists objects with an `id`. */
export function dependenciesOf(graph: TaskGraph, id: string): readonly string[] {
  const edges: readonly (string | { readonly id: string })[] = graph.dependencies[id] ?? [];
  return edges.map((edge) => (typeof edge === 'string' ? edge : edge.id));
}
