import type { Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import { Gate } from './gate';
import { NO_CLASS, type Limit } from './limit-classes';
import { taskAt } from './problem';
import type { RunState } from './run-state';

/** Which ready tasks may ask for their leases now, in order of preference. */
export interface Admission {
  /** They need neither lease nor slot. */
  readonly milestones: readonly Task[];
  readonly tasks: readonly Task[];
}

/**
 * Decides who may ask for leases. A task passed over because of a conflict, or because a counted
 * resource is short, keeps its claim: nothing behind it that competes with it may overtake, so nobody
 * starves. Milestones come first in the queue, so the search ends with the last free slot, or with the
 * last task that the limits would let go: what the gate says of the others cannot matter any more.
 */
export function admit(state: RunState): Admission {
  const milestones: Task[] = [];
  const tasks: Task[] = [];
  if (state.ready.size === 0) return { milestones, tasks };
  const { order, classOf } = state.problem;
  let room = state.maxAgents - occupied(state);
  const queue = room > 0 ? new Queue(state) : null;
  state.ready.some((rank) => {
    const index = order[rank] ?? -1;
    if (classOf[index] === NO_CLASS) {
      milestones.push(taskAt(state.problem, index));
      return false;
    }
    if (queue === null || room === 0 || !queue.isHopeful) return true;
    if (queue.take(index, rank)) {
      tasks.push(taskAt(state.problem, index));
      room -= 1;
    }
    return false;
  });
  return { milestones, tasks };
}

/** The queue on its way past holders, limits and rounds. */
class Queue {
  private readonly gate: Gate;
  private readonly limits: Limits;
  private readonly round: number | null;

  constructor(private readonly state: RunState) {
    this.gate = new Gate(state);
    this.limits = new Limits(state);
    this.round = currentRound(state);
  }

  /** Whether the limits would let anybody go who was not looked at yet. */
  get isHopeful(): boolean {
    return this.limits.hopeful > 0;
  }

  /** Whether the task may ask for its leases now. */
  take(index: number, rank: number): boolean {
    const hasRoom = this.limits.pass(index);
    if (this.round !== null && this.state.spent.get(index) > this.round) return false;
    const isShut = this.gate.isShut(index, rank);
    const goes = !isShut && hasRoom;
    if (goes) this.limits.take(index);
    if (isShut || goes) this.gate.claim(index, rank);
    return goes;
  }
}

/** Slots in use or spoken for. A task that waits for a foreign holder speaks for none. */
export function occupied(state: RunState): number {
  let count = 0;
  state.atWork.some((index) => {
    const waits = state.waiting.has(index) && !isInSlot(state.tasks.get(index));
    if (!waits && taskAt(state.problem, index).profile !== null) count += 1;
    return false;
  });
  return count;
}

/**
 * Under `retry_failed`, how many retries a task may have spent to be admitted now: failures are
 * tried again in rounds, each after everything of the round before has been tried. `null`: no rounds.
 */
function currentRound(state: RunState): number | null {
  const { problem, spent } = state;
  if (problem.plan.settings.failureStrategy !== 'retry_failed') return null;
  let round = Infinity;
  // No round is before the first: then there is no need to look on.
  const consider = (index: number): boolean => {
    if (taskAt(problem, index).profile !== null) round = Math.min(round, spent.get(index));
    return round === 0;
  };
  state.holding.some((index) => !state.waiting.has(index) && consider(index));
  state.ready.some((rank) => consider(problem.order[rank] ?? -1));
  return round;
}

/**
 * Limits per team, task type and agent profile; they bind while a task asks for a slot or has one. Tasks
 * of one class are alike to them, so those who are left are counted by class.
 */
class Limits {
  /** How many of the tasks that were not passed yet the limits would let go. */
  hopeful = 0;
  private readonly used: number[] = [];
  /** Tasks of each class that were not passed yet. */
  private readonly left: Int32Array;
  /** 1 for a class that no limit stops. */
  private readonly isOpen: Uint8Array;
  private readonly classOf: Int32Array;

  constructor(private readonly state: RunState) {
    this.classOf = state.problem.classOf;
    state.atWork.some((index) => {
      this.count(index);
      return false;
    });
    this.left = Int32Array.from(state.ready.classCounts());
    this.isOpen = Uint8Array.from(state.problem.limits, (limits) => Number(this.allow(limits)));
    this.left.forEach((count, at) => {
      if (this.isOpen[at] === 1) this.hopeful += count;
    });
  }

  /** Goes past a task; whether the limits let it go. */
  pass(index: number): boolean {
    const at = this.classOf[index] ?? NO_CLASS;
    this.left[at] = (this.left[at] ?? 0) - 1;
    const hasRoom = this.isOpen[at] === 1;
    if (hasRoom) this.hopeful -= 1;
    return hasRoom;
  }

  /** The task goes, and may fill a limit, and with it the way of others who are left. */
  take(index: number): void {
    if (!this.count(index)) return;
    this.state.problem.limits.forEach((limits, at) => {
      if (this.isOpen[at] !== 1 || this.allow(limits)) return;
      this.isOpen[at] = 0;
      this.hopeful -= this.left[at] ?? 0;
    });
  }

  private allow(limits: readonly Limit[]): boolean {
    return limits.every(({ key, limit }) => (this.used[key] ?? 0) < limit);
  }

  /** `false` for a task that nothing limits. */
  private count(index: number): boolean {
    const limits = this.state.problem.limits[this.state.problem.classOf[index] ?? NO_CLASS] ?? [];
    for (const { key } of limits) this.used[key] = (this.used[key] ?? 0) + 1;
    return limits.length > 0;
  }
}
