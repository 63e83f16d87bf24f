import type { Plan, Task } from '../model/task';

/**
 * A limit that binds a task while it is at work: at most `limit` tasks with the same `key`. Keys are
 * small whole numbers from 0.
 */
export interface Limit {
  readonly key: number;
  readonly limit: number;
}

/** Class of a milestone, which does no work that could be limited. */
export const NO_CLASS = -1;

/** The tasks of a plan by what limits them: those of one class are alike to every limit. */
export interface LimitClasses {
  /** Limits of each class: those of the team, the type and the agent profile. */
  readonly limits: readonly (readonly Limit[])[];
  /** Class of each task, by plan index; `NO_CLASS` for a milestone. */
  readonly classOf: Int32Array;
}

/** Sorts the tasks of a plan into limit classes. O(tasks). */
export function limitClasses(plan: Plan): LimitClasses {
  const { team, taskType } = plan.settings.limits;
  const teams = new Keys((name) => team[name]);
  const types = new Keys((name) => taskType[name]);
  const agents = new Map(plan.agents.map((agent) => [agent.name, agent.maxParallel ?? undefined]));
  const profiles = new Keys((name) => agents.get(name));
  const limits: (readonly Limit[])[] = [];
  const known = new Map<string, number>();
  let used = 0;
  const limitOf = (keys: Keys, name: string | null): Limit | null => {
    const limit = keys.of(name, used);
    if (limit?.key === used) used += 1;
    return limit;
  };
  const classOf = (task: Task): number => {
    if (task.profile === null) return NO_CLASS;
    const found = [
      limitOf(teams, task.team),
      limitOf(types, task.taskType),
      limitOf(profiles, task.profile),
    ].filter((limit) => limit !== null);
    const name = found.map(({ key }) => key).join();
    const before = known.get(name);
    if (before !== undefined) return before;
    known.set(name, limits.length);
    return limits.push(found) - 1;
  };
  return { limits, classOf: Int32Array.from(plan.tasks, classOf) };
}

/** The limits of the names of one kind. */
class Keys {
  private readonly known = new Map<string, Limit | null>();

  constructor(private readonly limitOf: (name: string) => number | undefined) {}

  /** The limit of a name, under the key `next` when it is new; `null` where nothing limits it. */
  of(name: string | null, next: number): Limit | null {
    if (name === null) return null;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    const limit = this.limitOf(name);
    const made = limit === undefined ? null : { key: next, limit };
    this.known.set(name, made);
    return made;
  }
}
