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
  const successors = inverted(predecessors);
  const order = kahn(predecessors, successors);
  return order === null ? null : { taskCount, successors, predecessors, order };
}

/** Node number of the barrier that follows phase `phase`. */
export function barrierNode(taskCount: number, phase: number): number {
  return taskCount + phase;
}

function withBarriers({
  dependencies,
  phases,
  phaseCount,
}: NodeTableInput): readonly (readonly number[])[] {
  const taskCount = dependencies.length;
  const tasks = dependencies.map((before, task) => {
    const phase = phases[task] ?? -1;
    return phase > 0 ? [...before, barrierNode(taskCount, phase - 1)] : before;
  });
  const barriers: number[][] = [];
  for (let phase = 0; phase < phaseCount - 1; phase += 1) {
    barriers.push(phase > 0 ? [barrierNode(taskCount, phase - 1)] : []);
  }
  phases.forEach((phase, task) => barriers[phase]?.push(task));
  return [...tasks, ...barriers];
}

/** Each list is made in its final length: growing ones take several times the room. */
function inverted(predecessors: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const counts = new Int32Array(predecessors.length);
  for (const before of predecessors) {
    for (const other of before) counts[other] = (counts[other] ?? 0) + 1;
  }
  const successors = predecessors.map((_, node) => new Array<number>(counts[node] ?? 0));
  for (let node = predecessors.length - 1; node >= 0; node -= 1) {
    for (const other of predecessors[node] ?? []) {
      const at = (counts[other] ?? 0) - 1;
      counts[other] = at;
      const list = successors[other];
      if (list !== undefined) list[at] = node;
    }
  }
  return successors;
}

function kahn(
  predecessors: readonly (readonly number[])[],
  successors: readonly (readonly number[])[],
): readonly number[] | null {
  const missing = Int32Array.from(predecessors, (before) => before.length);
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
