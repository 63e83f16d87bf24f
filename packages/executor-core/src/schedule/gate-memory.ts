import type { Task } from '../model/task';

/** Never, as the number of a gate or as a position. */
export const NEVER = -1;

/**
 * What the gates of a plan remember from one to the next. It is true of the plan, in whatever state: it
 * saves comparing two tasks again and never changes an answer. Tasks are plan indexes; gates are
 * numbered, and only the latest one may be asked.
 */
export class GateMemory {
  /** A task that was last found in the way of this one. */
  readonly blockers: Int32Array;
  /** The latest gate at which the task held its leases, and at which it did or had a claim. */
  readonly heldAt: Int32Array;
  readonly aheadAt: Int32Array;
  /** Room for the tasks that are ahead at the latest gate. */
  readonly ahead: Int32Array;
  /**
   * Up to which of the `arrivals` a task has been compared with everybody ahead of it, and nobody was in
   * its way.
   */
  readonly comparedTo: Int32Array;
  /** Tasks in the order in which they came to be ahead of others who may know of all before. */
  readonly arrivals: number[] = [];
  /** 1 for a task that names resources. */
  readonly hasResources: Uint8Array;
  /** Highest rank that the latest gate was asked about. */
  farthest = NEVER;
  private latest = 0;
  /** Earlier gates that got farther than all after them, oldest and farthest first. */
  private readonly gates: number[] = [];
  private readonly reaches: number[] = [];

  constructor(tasks: readonly Task[]) {
    const never = (): Int32Array => new Int32Array(tasks.length).fill(NEVER);
    this.blockers = never();
    this.heldAt = never();
    this.aheadAt = never();
    this.ahead = never();
    this.comparedTo = never();
    this.hasResources = Uint8Array.from(tasks, ({ resources }) => (resources.length > 0 ? 1 : 0));
  }

  /** Begins a gate; gives its number. */
  open(): number {
    while ((this.reaches.at(-1) ?? Infinity) <= this.farthest) {
      this.reaches.pop();
      this.gates.pop();
    }
    this.gates.push(this.latest);
    this.reaches.push(this.farthest);
    this.farthest = NEVER;
    this.latest += 1;
    if (this.arrivals.length > 4 * this.blockers.length + 1000) {
      this.arrivals.length = 0;
      this.comparedTo.fill(NEVER);
    }
    return this.latest;
  }

  /**
   * The latest gate before this one that was asked about somebody of this rank or behind it, and up to
   * which rank the same one is the answer. Without any it is `NEVER`, for every rank.
   */
  gateThatReached(rank: number): readonly [gate: number, reach: number] {
    let at = this.reaches.length - 1;
    while (at >= 0 && (this.reaches[at] ?? 0) < rank) at -= 1;
    return [this.gates[at] ?? NEVER, this.reaches[at] ?? Infinity];
  }
}
