import { accessConflict } from '../../graph/path-overlap';
import type { Access } from '../../model/access';
import type { Plan, Task } from '../../model/task';
import { priorityClass } from '../../model/task';

/** What a plan forbids, worked out anew, so that the scheduler is not checked against itself. */
export class Rules {
  readonly dependencies: readonly (readonly number[])[];
  /** Position of each task's phase; -1: none. */
  readonly phases: readonly number[];
  readonly classes: readonly number[];
  /** Limits that bind each task: name and most at once. */
  readonly limits: readonly (readonly (readonly [string, number])[])[];
  private readonly pairs: Int8Array;

  constructor(readonly plan: Plan) {
    const { tasks } = plan;
    const indexOf = new Map(tasks.map((task) => [task.id, task.index]));
    this.dependencies = tasks.map((task) => task.dependsOn.map((id) => indexOf.get(id) ?? -1));
    this.phases = tasks.map((task) => (task.phase === null ? -1 : plan.phases.indexOf(task.phase)));
    this.classes = tasks.map((task) => priorityClass(task.priority));
    this.limits = tasks.map((task) => this.limitsOf(task));
    this.pairs = new Int8Array(tasks.length ** 2);
  }

  task(index: number): Task {
    const task = this.plan.tasks[index];
    if (task === undefined) throw new RangeError(`No task ${index}.`);
    return task;
  }

  /** Whether the two may not hold their leases at once; `extra` is what was added to their writes. */
  exclude(a: number, b: number, extra: ReadonlyMap<number, readonly string[]>): boolean {
    if (extra.has(a) || extra.has(b)) return this.compare(a, b, extra);
    const at = a * this.plan.tasks.length + b;
    if (this.pairs[at] === 0) this.pairs[at] = this.compare(a, b, extra) ? 1 : 2;
    return this.pairs[at] === 1;
  }

  private compare(a: number, b: number, extra: ReadonlyMap<number, readonly string[]>): boolean {
    const [one, other] = [this.task(a), this.task(b)];
    // A milestone holds nothing.
    if (one.profile === null || other.profile === null) return false;
    const shared = one.resources.some((mine) =>
      other.resources.some((its) => its.id === mine.id && (its.exclusive || mine.exclusive)),
    );
    if (shared) return true;
    if (this.plan.settings.conflictPolicy !== 'wait') return false;
    const accessOf = (task: Task): Access => ({
      reads: task.access.reads,
      writes: [...task.access.writes, ...(extra.get(task.index) ?? [])],
    });
    return accessConflict(accessOf(one), accessOf(other));
  }

  /** Units of the counted resource that the task takes. */
  unitsOf(index: number): number {
    const [resource] = this.task(index).resources;
    return resource?.capacity === undefined ? 0 : (resource.amount ?? 1);
  }

  private limitsOf({ profile, team, taskType }: Task): readonly (readonly [string, number])[] {
    const { limits } = this.plan.settings;
    const most = this.plan.agents.find(({ name }) => name === profile)?.maxParallel ?? null;
    const found: (readonly [string, number])[] = [];
    if (most !== null) found.push([`profile ${profile ?? ''}`, most]);
    const ofTeam = team === null ? undefined : limits.team[team];
    if (ofTeam !== undefined) found.push([`team ${team ?? ''}`, ofTeam]);
    const ofType = taskType === null ? undefined : limits.taskType[taskType];
    if (ofType !== undefined) found.push([`type ${taskType ?? ''}`, ofType]);
    return found;
  }
}
