import { accessConflict } from '../graph/path-overlap';
import type { Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import { taskAt } from './problem';
import type { RunState } from './run-state';

/**
 * Which ready tasks may ask for their leases now, in order of preference. A task passed over
 * because of a conflict keeps its claim: nothing behind it that conflicts with it may overtake, so
 * nobody starves. `milestones` need neither lease nor slot.
 */
export function admit(state: RunState): {
  readonly milestones: readonly Task[];
  readonly tasks: readonly Task[];
} {
  const milestones: Task[] = [];
  const tasks: Task[] = [];
  const holders = state.holding.map((index) => taskAt(state.problem, index));
  const claims: Task[] = [];
  const limits = countLimits(state, holders);
  let room = state.problem.plan.settings.maxAgents - occupied(state);
  for (const index of state.ready) {
    const task = taskAt(state.problem, index);
    if (task.profile === null) {
      milestones.push(task);
      continue;
    }
    if (room <= 0) continue;
    const blocked = [...holders, ...claims, ...tasks].some((other) => excludes(state, task, other));
    if (blocked) {
      claims.push(task);
      continue;
    }
    if (!limits.take(task)) continue;
    tasks.push(task);
    room -= 1;
  }
  return { milestones, tasks };
}

/** Slots in use or spoken for. A task that waits for a foreign holder speaks for none. */
function occupied(state: RunState): number {
  return state.holding.filter((index) => {
    const task = state.tasks.get(index);
    if (isInSlot(task)) return true;
    const asksForSlot = taskAt(state.problem, index).profile !== null;
    return task.name === 'leasing' && asksForSlot && !state.waiting.includes(index);
  }).length;
}

/** The slots a task may take, its home slot first, then the lowest. */
export function slotsFor(state: RunState, task: Task): readonly number[] {
  const all = Array.from({ length: state.problem.plan.settings.maxAgents }, (_, at) => at + 1);
  return [task.homeSlot, ...all.filter((slot) => slot !== task.homeSlot)];
}

/** `true` when the two may not hold their leases at the same time. */
export function excludes(state: RunState, a: Task, b: Task): boolean {
  const shared = a.resources.some((resource) =>
    b.resources.some(
      (other) => other.id === resource.id && (other.exclusive || resource.exclusive),
    ),
  );
  if (shared) return true;
  return (
    state.problem.plan.settings.conflictPolicy === 'wait' && accessConflict(a.access, b.access)
  );
}

/** Limits per team, task type and agent profile; they bind while a task holds leases or a slot. */
function countLimits(state: RunState, holders: readonly Task[]): { take(task: Task): boolean } {
  const { plan } = state.problem;
  const profiles = Object.fromEntries(plan.agents.map((agent) => [agent.name, agent.maxParallel]));
  const used = new Map<string, number>();
  const keysOf = (task: Task): [string, number | null | undefined][] => [
    [`team ${task.team ?? ''}`, task.team === null ? null : plan.settings.limits.team[task.team]],
    [
      `type ${task.taskType ?? ''}`,
      task.taskType === null ? null : plan.settings.limits.taskType[task.taskType],
    ],
    [`profile ${task.profile ?? ''}`, task.profile === null ? null : profiles[task.profile]],
  ];
  const add = (task: Task): void => {
    for (const [key] of keysOf(task)) used.set(key, (used.get(key) ?? 0) + 1);
  };
  holders.filter((holder) => isAtWork(state, holder)).forEach(add);
  return {
    take(task) {
      const free = keysOf(task).every(
        ([key, limit]) => limit === null || limit === undefined || (used.get(key) ?? 0) < limit,
      );
      if (free) add(task);
      return free;
    },
  };
}

function isAtWork(state: RunState, task: Task): boolean {
  const { name } = state.tasks.get(task.index);
  return name === 'leasing' || name === 'running' || name === 'verifying';
}
