import { EVERYTHING, type Access, type Resource } from '../model/access';
import { UserError } from '../model/user-error';
import { conflictPairs, type Claims } from './conflict-pairs';
import { findCycles } from './cycles';
import { simulateMakespan } from './list-schedule';

/** A resource as loosely as the samples write it: without `exclusive` it can be shared. */
export interface LooseResource {
  readonly id: string;
  readonly exclusive?: boolean | undefined;
}

/**
 * A task as loosely as the samples write it; a `Task` of a plan fits too. Both spellings of a key may
 * be used, and what both give is united. Dependencies on tasks outside the list are ignored.
 */
export interface LooseTask {
  readonly id: string;
  readonly depends_on?: readonly string[] | undefined;
  readonly dependsOn?: readonly string[] | undefined;
  readonly required_resources?: readonly LooseResource[] | undefined;
  readonly resources?: readonly LooseResource[] | undefined;
  /** Expected duration in ms; `durationMs` is the same. */
  readonly duration_ms?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly reads?: readonly string[] | undefined;
  readonly writes?: readonly string[] | undefined;
  readonly access?: Access | undefined;
}

/** Tasks that can run at the same time. `estimated_speedup`: against one after the other. */
export interface ParallelGroup<T extends LooseTask = LooseTask> {
  readonly tasks: readonly T[];
  readonly can_parallel: true;
  readonly estimated_speedup: number;
}

const DEFAULT_AGENTS = 25;

/**
 * Groups of tasks that can run at the same time, in the order they can start: the independent sets,
 * each split so that no group has two tasks that compete for an exclusive resource or write what the
 * other reads or writes. Every task is in exactly one group. Tasks that declare no access never compete
 * for files here.
 *
 * @param options `ignoreAccess`: overlapping writers may share a group, as under `auto_merge`.
 * @throws UserError (`usage`) for a repeated id or a dependency cycle.
 */
export function findParallelizableTasks<T extends LooseTask>(
  tasks: readonly T[],
  options: { readonly ignoreAccess?: boolean } = {},
): readonly ParallelGroup<T>[] {
  return findIndependentSets(tasks)
    .flatMap((set) => splitByConflicts(set, options.ignoreAccess === true))
    .map((group) => ({
      tasks: group,
      can_parallel: true,
      estimated_speedup: Math.round(estimateSpeedup(group, DEFAULT_AGENTS) * 100) / 100,
    }));
}

/**
 * `true` when no two requests of these tasks name the same exclusive resource. Only exclusive requests
 * count: sharing a resource that somebody else wants exclusively is not seen here.
 */
export function checkResourceCompatibility(tasks: readonly LooseTask[]): boolean {
  const exclusive = tasks.flatMap(resourcesOf).filter((resource) => resource.exclusive === true);
  return new Set(exclusive.map((resource) => resource.id)).size === exclusive.length;
}

/**
 * The topological levels of the dependency graph: each set holds tasks that do not depend on each
 * other, and depends only on the sets before it. Order inside a set is the order given.
 *
 * @throws UserError (`usage`) for a repeated id or a dependency cycle.
 */
export function findIndependentSets<T extends LooseTask>(
  tasks: readonly T[],
): readonly (readonly T[])[] {
  const dependencies = dependencyPositions(tasks);
  const level: number[] = tasks.map(() => 0);
  const waiting = dependencies.map((before) => before.length);
  const followers: number[][] = tasks.map(() => []);
  dependencies.forEach((before, at) => {
    for (const other of before) followers[other]?.push(at);
  });
  const order = [...waiting.keys()].filter((at) => waiting[at] === 0);
  for (const at of order) {
    for (const next of followers[at] ?? []) {
      level[next] = Math.max(level[next] ?? 0, (level[at] ?? 0) + 1);
      waiting[next] = (waiting[next] ?? 0) - 1;
      if (waiting[next] === 0) order.push(next);
    }
  }
  if (order.length < tasks.length) throw cycleError(tasks);
  const sets: T[][] = [];
  tasks.forEach((task, at) => {
    const index = level[at] ?? 0;
    while (sets.length <= index) sets.push([]);
    sets[index]?.push(task);
  });
  return sets;
}

/**
 * How many times faster the tasks finish on `agents` agents than one after the other: sequential time
 * over the makespan of a simulated list schedule that honours dependencies. A task without a duration
 * counts as the mean of those that have one (or 1). 1 for no tasks.
 *
 * @throws RangeError when `agents` is not a positive integer. UserError as `findIndependentSets`.
 */
export function estimateSpeedup(tasks: readonly LooseTask[], agents: number): number {
  if (!Number.isInteger(agents) || agents < 1) throw new RangeError('agents must be at least 1.');
  const known = tasks.map(durationOf).filter((duration) => duration !== null);
  const total = known.reduce((sum, duration) => sum + duration, 0);
  const typical = total > 0 ? total / known.length : 1;
  const dependencies = dependencyPositions(tasks);
  const work = tasks.map((task, at) => ({
    duration: durationOf(task) ?? typical,
    after: dependencies[at] ?? [],
  }));
  const makespan = simulateMakespan(work, agents);
  if (makespan === null) throw cycleError(tasks);
  return makespan > 0 ? work.reduce((sum, item) => sum + item.duration, 0) / makespan : 1;
}

/**
 * First fit: each task joins the first group in which it conflicts with nobody. Who writes everything
 * is set apart at once: thousands of tasks without declared writes would make millions of pairs.
 */
function splitByConflicts<T extends LooseTask>(
  level: readonly T[],
  ignoreAccess: boolean,
): readonly (readonly T[])[] {
  const isAlone = (task: T): boolean =>
    claimsOf(task, ignoreAccess).access.writes.includes(EVERYTHING);
  const set = level.filter((task) => !isAlone(task));
  const alone = level.filter(isAlone).map((task) => [task]);
  const enemies = set.map((): number[] => []);
  for (const { a, b } of conflictPairs(set.map((task) => claimsOf(task, ignoreAccess)))) {
    enemies[b]?.push(a);
  }
  const groupOf: number[] = [];
  const groups: T[][] = [];
  set.forEach((task, at) => {
    const taken = new Set(enemies[at]?.map((enemy) => groupOf[enemy]));
    let group = 0;
    while (taken.has(group)) group += 1;
    groupOf.push(group);
    while (groups.length <= group) groups.push([]);
    groups[group]?.push(task);
  });
  return [...groups, ...alone];
}

function claimsOf(task: LooseTask, ignoreAccess: boolean): Claims {
  const reads = [...(task.access?.reads ?? []), ...(task.reads ?? [])];
  const writes = [...(task.access?.writes ?? []), ...(task.writes ?? [])];
  const resources: readonly Resource[] = resourcesOf(task).map(({ id, exclusive }) => ({
    id,
    exclusive: exclusive === true,
  }));
  return { access: ignoreAccess ? { reads: [], writes: [] } : { reads, writes }, resources };
}

function resourcesOf(task: LooseTask): readonly LooseResource[] {
  return [...(task.required_resources ?? []), ...(task.resources ?? [])];
}

function dependenciesOf(task: LooseTask): readonly string[] {
  return [...new Set([...(task.depends_on ?? []), ...(task.dependsOn ?? [])])];
}

function durationOf(task: LooseTask): number | null {
  const duration = task.duration_ms ?? task.durationMs;
  return duration !== undefined && Number.isFinite(duration) && duration >= 0 ? duration : null;
}

function dependencyPositions(tasks: readonly LooseTask[]): readonly (readonly number[])[] {
  const positions = new Map(tasks.map((task, at) => [task.id, at]));
  if (positions.size < tasks.length) {
    const twice = tasks.find((task, at) => positions.get(task.id) !== at);
    throw new UserError(
      'usage',
      `Task ${twice?.id ?? ''} is given twice.`,
      'Rename one of the two.',
    );
  }
  return tasks.map((task) =>
    dependenciesOf(task).flatMap((id) => {
      const position = positions.get(id);
      return position === undefined ? [] : [position];
    }),
  );
}

function cycleError(tasks: readonly LooseTask[]): UserError {
  const edges = new Map(tasks.map((task) => [task.id, dependenciesOf(task)]));
  const cycle = findCycles(edges)[0] ?? [];
  return new UserError(
    'usage',
    `Tasks wait for each other: ${cycle.join(' → ')}.`,
    'Remove one of these dependencies.',
  );
}
