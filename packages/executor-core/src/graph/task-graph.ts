import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import { UserError } from '../model/user-error';
import { findCycles } from './cycles';
import { buildNodeTable, type NodeTable, type NodeTableInput } from './node-table';
import { waitingEdges } from './waiting-edges';

/** The order the plan asks for: dependencies and phase barriers. Immutable; ids are in plan order. */
export interface TaskGraph {
  readonly ids: readonly TaskId[];
  readonly tasks: readonly Task[];
  readonly phases: readonly string[];
  /** Groups of tasks that could start together: each task one level below the latest it waits for. */
  readonly levels: readonly (readonly TaskId[])[];
  /** The compact form, with barriers as nodes, for folds over the whole graph. */
  readonly nodes: NodeTable;
  /** Throws `RangeError` for an id that is not in the graph, as do all lookups by id. */
  readonly task: (id: TaskId) => Task;
  /** Position of the task in `ids`, which is its node number. */
  readonly indexOf: (id: TaskId) => number;
  readonly dependencies: (id: TaskId) => readonly TaskId[];
  /** Tasks that name `id` in their dependencies. */
  readonly dependants: (id: TaskId) => readonly TaskId[];
  /** 0-based position of the task's phase; -1 when it has none and so waits at no barrier. */
  readonly phaseIndex: (id: TaskId) => number;
  /** Tasks of a phase, in plan order; empty for an unknown phase. */
  readonly phaseMembers: (phase: string) => readonly TaskId[];
}

/**
 * Builds the graph of a plan. Every task of phase k+1 waits for every task of the phases up to k;
 * tasks without a phase are ordered by their dependencies alone. O(tasks + edges).
 *
 * @throws UserError (`usage`) for a repeated id, a dependency or phase that does not exist, or a cycle
 * (through barriers too); a plan that was loaded has none of them.
 */
export function buildTaskGraph(tasks: readonly Task[], phases: readonly string[]): TaskGraph {
  const indices = indexTasks(tasks);
  const phaseIndices = new Map(phases.map((name, index) => [name, index]));
  const input: NodeTableInput = {
    dependencies: tasks.map((task) =>
      task.dependsOn.map((id) => dependencyIndex(indices, task, id)),
    ),
    phases: tasks.map((task) => phaseIndexOf(phaseIndices, task)),
    phaseCount: phases.length,
  };
  const nodes = buildNodeTable(input);
  if (nodes === null) throw cycleError(tasks, phases);

  const ids = tasks.map((task) => task.id);
  const dependants: (readonly TaskId[] | undefined)[] = new Array<undefined>(tasks.length);
  let levels: readonly (readonly TaskId[])[] | null = null;
  const members = new Map<string, TaskId[]>(phases.map((name) => [name, []]));
  for (const task of tasks) if (task.phase !== null) members.get(task.phase)?.push(task.id);
  const at = <T>(rows: readonly T[], id: TaskId): T => lookUp(rows, indices.get(id), id);
  return {
    ids,
    tasks,
    phases,
    nodes,
    get levels() {
      return (levels ??= levelsOf(ids, nodes));
    },
    task: (id) => at(tasks, id),
    indexOf: (id) => indices.get(id) ?? unknownTask(id),
    dependencies: (id) => at(tasks, id).dependsOn,
    dependants: (id) => {
      const index = indices.get(id) ?? unknownTask(id);
      return (dependants[index] ??= dependantsOf(ids, nodes, index));
    },
    phaseIndex: (id) => at(input.phases, id),
    phaseMembers: (phase) => members.get(phase) ?? [],
  };
}

function indexTasks(tasks: readonly Task[]): ReadonlyMap<string, number> {
  const indices = new Map<string, number>();
  tasks.forEach((task, index) => {
    if (indices.has(task.id)) {
      throw new UserError('usage', `Task ${task.id} is given twice.`, 'Rename one of the two.');
    }
    indices.set(task.id, index);
  });
  return indices;
}

function dependencyIndex(indices: ReadonlyMap<string, number>, task: Task, id: TaskId): number {
  const index = indices.get(id);
  if (index !== undefined) return index;
  throw new UserError(
    'usage',
    `Task ${task.id} depends on ${id}, which does not exist.`,
    `Add ${id} or remove it from the dependencies of ${task.id}.`,
  );
}

function phaseIndexOf(indices: ReadonlyMap<string, number>, task: Task): number {
  if (task.phase === null) return -1;
  const index = indices.get(task.phase);
  if (index !== undefined) return index;
  throw new UserError(
    'usage',
    `Task ${task.id} is in phase ${task.phase}, which does not exist.`,
    `Add ${task.phase} to the phases.`,
  );
}

function lookUp<T>(rows: readonly T[], index: number | undefined, id: string): T {
  return rows[index ?? -1] ?? unknownTask(id);
}

function unknownTask(id: string): never {
  throw new RangeError(`No task ${JSON.stringify(id)} in this graph.`);
}

/** Each once, in plan order; barriers are no tasks. */
function dependantsOf(ids: readonly TaskId[], nodes: NodeTable, index: number): readonly TaskId[] {
  const after = new Set(nodes.successors[index]);
  return [...after].flatMap((node) => ids[node] ?? []);
}

/** A barrier takes no level of its own: what follows it starts one level after what precedes it. */
function levelsOf(ids: readonly TaskId[], nodes: NodeTable): readonly (readonly TaskId[])[] {
  const end: number[] = new Array<number>(nodes.order.length).fill(0);
  const levels: TaskId[][] = [];
  const starts: number[] = new Array<number>(ids.length).fill(0);
  for (const node of nodes.order) {
    let start = 0;
    for (const before of nodes.predecessors[node] ?? []) start = Math.max(start, end[before] ?? 0);
    const isTask = node < nodes.taskCount;
    end[node] = isTask ? start + 1 : start;
    if (isTask) starts[node] = start;
  }
  ids.forEach((id, node) => {
    const level = starts[node] ?? 0;
    while (levels.length <= level) levels.push([]);
    levels[level]?.push(id);
  });
  return levels;
}

function cycleError(tasks: readonly Task[], phases: readonly string[]): UserError {
  const cycle = findCycles(waitingEdges(tasks, phases))[0] ?? [];
  return new UserError(
    'usage',
    `Tasks wait for each other: ${cycle.join(' → ')}.`,
    'Remove one of these dependencies, or move a task to another phase.',
  );
}
