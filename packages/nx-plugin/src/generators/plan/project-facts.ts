import type { ProjectGraph } from '@nx/devkit';
import type { SelectableProject } from './select-projects';

/** What a plan needs to know about one project of the graph. */
export interface ProjectFacts extends SelectableProject {
  readonly targets: readonly string[];
  /** Projects of the workspace it depends on directly, without npm packages. */
  readonly dependencies: readonly string[];
}

/** Projects of the graph, sorted by name. */
export function projectFacts(graph: ProjectGraph): readonly ProjectFacts[] {
  return Object.values(graph.nodes)
    .map((node) => ({
      name: node.name,
      root: node.data.root,
      tags: node.data.tags ?? [],
      targets: Object.keys(node.data.targets ?? {}),
      dependencies: neighbours(graph, node.name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function neighbours(graph: ProjectGraph, name: string): readonly string[] {
  const targets = (graph.dependencies[name] ?? []).map(({ target }) => target);
  return [...new Set(targets)].filter((target) => target !== name && target in graph.nodes).sort();
}
