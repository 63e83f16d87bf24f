import type { Resource } from '../model/access';
import type { Task } from '../model/task';
import type { ExtraWrites } from './conflicts';
import { NEVER, type GateMemory } from './gate-memory';
import { taskAt } from './problem';
import type { RunState } from './run-state';
import { NOWHERE, type Places } from './task-places';

/**
 * What holders and claims keep the tasks behind them from. It is asked about tasks (plan indexes) in the
 * order of the queue.
 */
export class Gate {
  /** Holders, and the tasks of the queue passed so far: nearest in the queue last. */
  private readonly ahead: Int32Array;
  private aheadCount = 0;
  private readonly taken = new Map<string, number>();
  private readonly memory: GateMemory;
  private readonly number: number;
  /** What the loop over a long queue needs, at hand. */
  private readonly blockers: Int32Array;
  private readonly aheadAt: Int32Array;
  /** Places of the arrivals between two positions. */
  private news: { readonly from: number; readonly to: number; readonly places: Places } | null =
    null;
  /** Places of so many of those ahead. */
  private aheadPlaces = NOWHERE;
  private placed = 0;
  /** The last gate that got as far as `reach`, and no other one since has got beyond `reach`. */
  private last = NEVER;
  private reach = NEVER;

  constructor(private readonly state: RunState) {
    this.memory = state.problem.gates;
    this.number = this.memory.open();
    ({ ahead: this.ahead, blockers: this.blockers, aheadAt: this.aheadAt } = this.memory);
    state.holding.some((index) => {
      const task = taskAt(state.problem, index);
      if (task.profile !== null) this.hold(index);
      return false;
    });
  }

  /** Who holds is ahead of everybody, at every gate. */
  private hold(index: number): void {
    const { heldAt, arrivals } = this.memory;
    if (heldAt[index] !== this.number - 1) arrivals.push(index);
    heldAt[index] = this.number;
    this.stand(index);
  }

  /**
   * The task was passed, and what is behind it gives way to it. Whoever is behind it was asked about at
   * the last gate that got as far, or before: at that one the task was ahead already, or it is news.
   */
  claim(index: number, rank: number): void {
    if (rank > this.reach) {
      [this.last, this.reach] = this.memory.gateThatReached(rank);
    }
    const before = this.aheadAt[index] ?? NEVER;
    if (before < this.last || before === NEVER) this.memory.arrivals.push(index);
    this.stand(index);
  }

  private stand(index: number): void {
    this.aheadAt[index] = this.number;
    this.ahead[this.aheadCount] = index;
    this.aheadCount += 1;
    if (this.memory.hasResources[index] !== 1) return;
    for (const { id, amount } of counted(taskAt(this.state.problem, index))) {
      this.taken.set(id, (this.taken.get(id) ?? 0) + amount);
    }
  }

  /** Whether the task has to wait for somebody ahead of it, or for a resource. */
  isShut(index: number, rank: number): boolean {
    this.memory.farthest = rank;
    // Who was in the way last time mostly still is.
    if (this.isAhead(this.blockers[index] ?? NEVER)) return true;
    if (this.memory.hasResources[index] === 1 && this.isShort(index)) return true;
    const task = taskAt(this.state.problem, index);
    return this.isHindered(task) || this.isHinderedByMore(task);
  }

  private isAhead(index: number): boolean {
    return index !== NEVER && this.aheadAt[index] === this.number;
  }

  /** Whether the plan keeps the task from starting beside somebody ahead of it. */
  private isHindered(task: Task): boolean {
    const { comparedTo, arrivals } = this.memory;
    const known = comparedTo[task.index] ?? NEVER;
    const isShorter = known !== NEVER && arrivals.length - known < this.aheadCount;
    if (isShorter ? this.isApartFromNews(task, known) : this.isApartFromAll(task)) {
      comparedTo[task.index] = arrivals.length;
      return false;
    }
    const blocker = isShorter
      ? this.blockerAmong(task, arrivals, known, arrivals.length)
      : this.blockerAmong(task, this.ahead, 0, this.aheadCount);
    if (blocker === NEVER) comparedTo[task.index] = arrivals.length;
    else this.blockers[task.index] = blocker;
    return blocker !== NEVER;
  }

  /** Neighbours in the queue mostly have the same news, so the places of these are kept. */
  private isApartFromNews(task: Task, from: number): boolean {
    const { arrivals } = this.memory;
    const { conflicts } = this.state.problem;
    if (this.news?.from !== from || this.news.to !== arrivals.length) {
      const places = conflicts.placesOf(arrivals, from, arrivals.length);
      this.news = { from, to: arrivals.length, places };
    }
    return conflicts.isApartFrom(task, this.news.places);
  }

  private isApartFromAll(task: Task): boolean {
    const { conflicts } = this.state.problem;
    if (this.placed < this.aheadCount) {
      const { ahead, placed, aheadCount, aheadPlaces } = this;
      this.aheadPlaces = conflicts.placesOf(ahead, placed, aheadCount, aheadPlaces);
      this.placed = aheadCount;
    }
    return conflicts.isApartFrom(task, this.aheadPlaces);
  }

  /** The nearest of the others in these positions who is ahead of the task and in its way. */
  private blockerAmong(task: Task, others: ArrayLike<number>, from: number, to: number): number {
    const { problem } = this.state;
    for (let at = to - 1; at >= from; at -= 1) {
      const other = others[at] ?? NEVER;
      if (!this.isAhead(other)) continue;
      if (problem.conflicts.exclude(task, taskAt(problem, other), NO_EXTRA)) return other;
    }
    return NEVER;
  }

  /** The same for what was granted beyond the plan. */
  private isHinderedByMore(task: Task): boolean {
    const { extraWrites, problem } = this.state;
    if (extraWrites.size === 0) return false;
    const others = this.ahead.subarray(0, this.aheadCount);
    return others.some((other) =>
      problem.conflicts.exclude(task, taskAt(problem, other), extraWrites),
    );
  }

  /** A resource of which too little is left. What nobody takes is enough for anyone. */
  private isShort(index: number): boolean {
    return counted(taskAt(this.state.problem, index)).some(({ id, amount, capacity }) => {
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

function counted(task: Task): readonly Counted[] {
  return task.resources.flatMap(({ id, amount = 1, capacity }: Resource) =>
    capacity === null || capacity === undefined ? [] : [{ id, amount, capacity }],
  );
}
