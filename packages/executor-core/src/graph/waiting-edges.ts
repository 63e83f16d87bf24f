/**
 * What each task waits for, by name: its dependencies and the end of the phase before its own. The end
 * of a phase is a node of its own (`end of phase build`, which no task can be called), so a cycle
 * through a barrier reads as a path. Phases that are not in `phases` are ignored.
 */
export function waitingEdges(
  tasks: readonly {
    readonly id: string;
    readonly dependsOn: readonly string[];
    readonly phase: string | null;
  }[],
  phases: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, string[]>(tasks.map((task) => [task.id, [...task.dependsOn]]));
  phases.slice(0, -1).forEach((name, index) => {
    const before = phases[index - 1];
    edges.set(endOf(name), before === undefined ? [] : [endOf(before)]);
  });
  const indices = new Map(phases.map((name, index) => [name, index]));
  for (const task of tasks) {
    const index = indices.get(task.phase ?? '');
    const before = phases[(index ?? 0) - 1];
    if (before !== undefined) edges.get(task.id)?.push(endOf(before));
    if (index !== undefined) edges.get(endOf(phases[index] ?? ''))?.push(task.id);
  }
  return edges;
}

function endOf(phase: string): string {
  return `end of phase ${phase}`;
}
