/**
 * The compact form of a task graph for folds over the whole of it. Nodes `0 … taskCount-1` are the
 * tasks in plan order; the nodes after them are barriers: zero-length, one after each phase but the
 * last, so that a barrier between n and m tasks costs n + m edges and not n · m.
 */
export interface NodeTable {
  readonly taskCount: number;
  readonly successors: readonly (readonly number[])[];
  readonly predecessors: readonly (readonly number[])[];
  /** Every node after all of its predecessors; ties in node order. */
  readonly order: readonly number[];
}

/** What the table is made of: dependencies by task index and the phase of each task (-1: none). */
export interface NodeTableInput {
  readonly dependencies: readonly (readonly number[])[];
  readonly phases: readonly number[];
  readonly phaseCount: number;
}

/**
 * Builds the table with Kahn's algorithm, in O(tasks + edges).
 *
 * @returns `null` when the edges (with the barriers) contain a cycle.
 */
export function buildNodeTable(input: NodeTableInput): NodeTable | null {
  const taskCount = input.dependencies.length;
  const predecessors = withBarriers(input);
  const successors: number[][] = predecessors.map(() => []);
  predecessors.forEach((before, node) => {
    for (const other of before) successors[other]?.push(node);
  });
  const order = kahn(predecessors, successors);
  return order === null ? null : { taskCount, successors, predecessors, order };
}

/** Node number of the barrier that follows phase `phase`. */
export function barrierNode(taskCount: number, phase: number): number {
  return taskCount + phase;
}

function withBarriers({ dependencies, phases, phaseCount }: NodeTableInput): readonly number[][] {
  const taskCount = dependencies.length;
  const predecessors = dependencies.map((before) => [...before]);
  for (let phase = 0; phase < phaseCount - 1; phase += 1) {
    predecessors.push(phase > 0 ? [barrierNode(taskCount, phase - 1)] : []);
  }
  phases.forEach((phase, task) => {
    if (phase > 0) predecessors[task]?.push(barrierNode(taskCount, phase - 1));
    if (phase >= 0 && phase < phaseCount - 1)
      predecessors[barrierNode(taskCount, phase)]?.push(task);
  });
  return predecessors;
}

function kahn(
  predecessors: readonly (readonly number[])[],
  successors: readonly (readonly number[])[],
): readonly number[] | null {
  const missing = predecessors.map((before) => before.length);
  const order: number[] = [];
  missing.forEach((count, node) => {
    if (count === 0) order.push(node);
  });
  // `order` is its own queue: what is appended while we walk is walked later.
  for (const node of order) {
    for (const next of successors[node] ?? []) {
      const left = (missing[next] ?? 0) - 1;
      missing[next] = left;
      if (left === 0) order.push(next);
    }
  }
  return order.length === predecessors.length ? order : null;
}
