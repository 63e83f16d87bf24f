import { bottomLevels } from '../graph/critical-path';
import type { TaskGraph } from '../graph/task-graph';
import { buildTaskGraph } from '../graph/task-graph';
import type { TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { priorityClass } from '../model/task';
import { Conflicts } from './conflicts';

/**
 * A limit that binds a task while it is at work: at most `limit` tasks with the same `key`. Keys are
 * small whole numbers from 0.
 */
export interface Limit {
  readonly key: number;
  readonly limit: number;
}

/** What does not change while a run goes on: the plan, its graph, and the order of preference. */
export interface Problem {
  readonly plan: Plan;
  readonly graph: TaskGraph;
  readonly indexOf: ReadonlyMap<TaskId, number>;
  /** Position of each task (by plan index) in the order of preference; smaller starts first. */
  readonly rank: readonly number[];
  /** Plan indexes in the order of preference: the inverse of `rank`. */
  readonly order: readonly number[];
  /** Limits of each task, by plan index: those of its team, its type and its agent profile. */
  readonly limits: readonly (readonly Limit[])[];
  readonly conflicts: Conflicts;
  /**
   * By plan index, a task that the plan says excludes this one (-1: none known): who was last found
   * in its way. It tells where to look first and never changes an answer.
   */
  readonly blockers: Int32Array;
}

/**
 * Expected time of a task in ms, from earlier runs; `null` where nothing is known about it.
 */
export type ExpectedMs = (task: Task) => number | null;

/**
 * Prepares a plan for `decide`. Order of preference: milestones (they cost nothing and free others),
 * then priority class, then the longest path to the end (critical-path list scheduling), then plan
 * order. The path is measured in expected time; a task of which nothing is known counts as one whose
 * time is the median of the known, so without any history the hops are counted.
 */
export function prepareProblem(plan: Plan, expectedMs: ExpectedMs = () => null): Problem {
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const byId = bottomLevels(graph, weights(plan, expectedMs));
  const levels = plan.tasks.map((task) => byId.get(task.id) ?? 0);
  const order = [...plan.tasks]
    .sort(
      (a, b) =>
        Number(a.profile !== null) - Number(b.profile !== null) ||
        priorityClass(a.priority) - priorityClass(b.priority) ||
        (levels[b.index] ?? 0) - (levels[a.index] ?? 0) ||
        a.index - b.index,
    )
    .map((task) => task.index);
  const rank = new Array<number>(plan.tasks.length).fill(0);
  order.forEach((index, position) => {
    rank[index] = position;
  });
  const indexOf = new Map(plan.tasks.map((task) => [task.id, task.index]));
  const conflicts = new Conflicts(plan);
  const blockers = new Int32Array(plan.tasks.length).fill(-1);
  return { plan, graph, indexOf, rank, order, limits: limitsOf(plan), conflicts, blockers };
}

/** The task at a plan index. */
export function taskAt(problem: Problem, index: number): Task {
  const task = problem.plan.tasks[index];
  if (task === undefined) throw new RangeError(`Internal error: no task has index ${index}.`);
  return task;
}

function weights(plan: Plan, expectedMs: ExpectedMs): (task: Task) => number {
  const times = plan.tasks.map(expectedMs);
  const known = times.filter((ms) => ms !== null).sort((a, b) => a - b);
  const typical = known[known.length >> 1] ?? 1;
  return (task) => (task.profile === null ? 0 : (times[task.index] ?? typical));
}

function limitsOf(plan: Plan): readonly (readonly Limit[])[] {
  const { team, taskType } = plan.settings.limits;
  const profiles = new Map(plan.agents.map((agent) => [agent.name, agent.maxParallel]));
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  return plan.tasks.map((task) => {
    // A milestone does no work that could be limited.
    if (task.profile === null) return [];
    const limits = [
      { key: `team ${task.team ?? ''}`, limit: task.team === null ? null : team[task.team] },
      {
        key: `type ${task.taskType ?? ''}`,
        limit: task.taskType === null ? null : taskType[task.taskType],
      },
      { key: `profile ${task.profile}`, limit: profiles.get(task.profile) },
    ];
    return limits.flatMap(({ key, limit }) =>
      limit === null || limit === undefined ? [] : [{ key: numberOf(key), limit }],
    );
  });
}
