import type { Resource } from '../model/access';
import type { Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import type { ExtraWrites } from './conflicts';
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
 * starves. Milestones come first in the queue, so the search ends with the last free slot.
 */
export function admit(state: RunState): Admission {
  const milestones: Task[] = [];
  const tasks: Task[] = [];
  let room = state.maxAgents - occupied(state);
  const queue = room > 0 ? new Queue(state) : null;
  let hopeful = queue === null ? 0 : countHopeful(state, queue, -1);
  state.ready.some((rank) => {
    const task = taskAt(state.problem, state.problem.order[rank] ?? -1);
    if (task.profile === null) {
      milestones.push(task);
      return false;
    }
    if (queue === null || room === 0 || hopeful === 0) return true;
    if (queue.hasRoom(task)) hopeful -= 1;
    if (queue.take(task)) {
      tasks.push(task);
      room -= 1;
      // It may have filled a limit, and with it the way of all who are left.
      if (queue.isLimited(task)) hopeful = countHopeful(state, queue, rank);
    }
    return false;
  });
  return { milestones, tasks };
}

/**
 * How many of the tasks behind `rank` the limits would let go. With none of them the search ends: what
 * the gate says of the others, which takes much longer to tell, cannot matter any more.
 */
function countHopeful(state: RunState, queue: Queue, rank: number): number {
  let count = 0;
  state.ready.some((other) => {
    if (other <= rank) return false;
    const task = taskAt(state.problem, state.problem.order[other] ?? -1);
    if (task.profile !== null && queue.hasRoom(task)) count += 1;
    return false;
  });
  return count;
}

/** The queue on its way past holders, limits and rounds. */
class Queue {
  private readonly gate: Gate;
  private readonly limits: Limits;
  private readonly round: number | null;

  constructor(private readonly state: RunState) {
    this.gate = new Gate(state);
    this.limits = countLimits(state);
    this.round = currentRound(state);
  }

  /** Whether the limits let the task go at this point. */
  hasRoom(task: Task): boolean {
    return this.limits.hasRoom(task);
  }

  isLimited({ index }: Task): boolean {
    return (this.state.problem.limits[index] ?? []).length > 0;
  }

  /** Whether the task may ask for its leases now. */
  take(task: Task): boolean {
    if (this.round !== null && this.state.spent.get(task.index) > this.round) return false;
    const isShut = this.gate.isShut(task);
    const goes = !isShut && this.limits.hasRoom(task);
    if (goes) this.limits.take(task);
    if (isShut || goes) this.gate.claim(task);
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
  const consider = (index: number): false => {
    if (taskAt(problem, index).profile !== null) round = Math.min(round, spent.get(index));
    return false;
  };
  state.ready.some((rank) => consider(problem.order[rank] ?? -1));
  state.holding.some((index) => !state.waiting.has(index) && consider(index));
  return round;
}

/** What holders and claims keep the tasks behind them from. */
class Gate {
  /** Holders, and the tasks of the queue passed so far: nearest in the queue last. */
  private readonly ahead: Task[] = [];
  private readonly isAhead: Uint8Array;
  private readonly taken = new Map<string, number>();

  constructor(private readonly state: RunState) {
    this.isAhead = new Uint8Array(state.problem.plan.tasks.length);
    state.holding.some((index) => {
      const task = taskAt(state.problem, index);
      if (task.profile !== null) this.claim(task);
      return false;
    });
  }

  claim(task: Task): void {
    this.ahead.push(task);
    this.isAhead[task.index] = 1;
    for (const { id, amount } of counted(task)) {
      this.taken.set(id, (this.taken.get(id) ?? 0) + amount);
    }
  }

  isShut(task: Task): boolean {
    if (this.isShort(task)) return true;
    const { blockers, conflicts } = this.state.problem;
    // Who was in the way last time mostly still is: then nothing needs to be compared.
    const known = blockers[task.index] ?? -1;
    if (known >= 0 && this.isAhead[known] === 1) return true;
    for (let at = this.ahead.length - 1; at >= 0; at -= 1) {
      const other = this.ahead[at];
      if (other === undefined) continue;
      if (conflicts.exclude(task, other, NO_EXTRA)) {
        blockers[task.index] = other.index;
        return true;
      }
      const { extraWrites } = this.state;
      if (extraWrites.size > 0 && conflicts.exclude(task, other, extraWrites)) return true;
    }
    return false;
  }

  /** A resource of which too little is left. What nobody takes is enough for anyone. */
  private isShort(task: Task): boolean {
    return counted(task).some(({ id, amount, capacity }) => {
      const taken = this.taken.get(id) ?? 0;
      return taken > 0 && taken + amount > capacity;
    });
  }
}

const NO_EXTRA: ExtraWrites = new Map();

interface Counted {
  readonly id: string;
  readonly amount: number;
  readonly capacity: number;
}

const NOTHING: readonly Counted[] = [];

function counted(task: Task): readonly Counted[] {
  if (task.resources.length === 0) return NOTHING;
  return task.resources.flatMap(({ id, amount = 1, capacity }: Resource) =>
    capacity === null || capacity === undefined ? [] : [{ id, amount, capacity }],
  );
}

interface Limits {
  hasRoom(task: Task): boolean;
  take(task: Task): void;
}

/** Limits per team, task type and agent profile; they bind while a task asks for a slot or has one. */
function countLimits(state: RunState): Limits {
  const { limits } = state.problem;
  const used: number[] = [];
  const add = (index: number): false => {
    for (const { key } of limits[index] ?? []) used[key] = (used[key] ?? 0) + 1;
    return false;
  };
  state.atWork.some(add);
  return {
    hasRoom: ({ index }) =>
      (limits[index] ?? []).every(({ key, limit }) => (used[key] ?? 0) < limit),
    take: ({ index }) => {
      add(index);
    },
  };
}
