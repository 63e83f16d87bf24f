import { Chunked } from './chunked';
import { IndexSet } from './index-set';
import { NO_CLASS } from './limit-classes';

/** What the queue has to know about the tasks, by rank. */
export interface QueueLayout {
  readonly classes: Int32Array;
  readonly classCount: number;
  /** Phase of the task; -1 for none. */
  readonly phases: Int32Array;
  readonly phaseCount: number;
}

/** Ranks, and how many of them are of each limit class. */
interface Part {
  readonly ranks: IndexSet;
  readonly counts: Chunked<number>;
}

/**
 * The tasks that are ready, by rank: an immutable set, visited in order of preference, that knows how
 * many of each limit class it holds. Those that only wait for their phase are kept apart, by phase, so
 * that thousands of them become ready at once.
 */
export class ReadyQueue {
  private constructor(
    private readonly layout: QueueLayout,
    private readonly openPhase: number,
    private readonly open: Part,
    private readonly later: readonly Part[],
  ) {}

  /** The queue of a beginning run, the first phase open, for tasks that wait for nothing else. */
  static of(layout: QueueLayout, ranks: readonly number[]): ReadyQueue {
    const part = {
      ranks: IndexSet.of(layout.classes.length),
      counts: Chunked.from(new Array<number>(layout.classCount).fill(0)),
    };
    const later = new Array<Part>(layout.phaseCount).fill(part);
    return new ReadyQueue(layout, 0, part, later).addAll(ranks);
  }

  get size(): number {
    return this.open.ranks.size;
  }

  /** Whether the task is ready, its phase included. */
  has(rank: number): boolean {
    return this.open.ranks.has(rank);
  }

  /** How many ready tasks of each class there are; milestones have none. */
  classCounts(): readonly number[] {
    return this.open.counts.toArray();
  }

  /** Adds a task that waits for nothing, but perhaps for its phase. */
  add(rank: number): ReadyQueue {
    return this.with(rank, true);
  }

  /** As `add` for many, each given once. */
  addAll(ranks: readonly number[]): ReadyQueue {
    if (ranks.length < 4) return ranks.reduce((queue: ReadyQueue, rank) => queue.add(rank), this);
    const { layout, openPhase } = this;
    const phaseOf = (rank: number): number => layout.phases[rank] ?? -1;
    const now = ranks.filter((rank) => phaseOf(rank) <= openPhase);
    const later = this.later.map((part, phase) =>
      phase <= openPhase
        ? part
        : this.extended(
            part,
            ranks.filter((rank) => phaseOf(rank) === phase),
          ),
    );
    return new ReadyQueue(layout, openPhase, this.extended(this.open, now), later);
  }

  delete(rank: number): ReadyQueue {
    return this.with(rank, false);
  }

  /** The tasks of the phases up to this one need not wait for them any more. */
  openUpTo(phase: number): ReadyQueue {
    let { open } = this;
    for (const part of this.later.slice(this.openPhase + 1, phase + 1)) {
      open = { ranks: open.ranks.union(part.ranks), counts: sum(open.counts, part.counts) };
    }
    return new ReadyQueue(this.layout, Math.max(phase, this.openPhase), open, this.later);
  }

  /** Visits the ranks that are ready in order until `visit` says `true`; whether it did. */
  some(visit: (rank: number) => boolean): boolean {
    return this.open.ranks.some(visit);
  }

  private with(rank: number, isThere: boolean): ReadyQueue {
    const { layout, openPhase, open, later } = this;
    const phase = layout.phases[rank] ?? -1;
    const part = phase > openPhase ? later[phase] : open;
    if (part === undefined || part.ranks.has(rank) === isThere) return this;
    const changed = this.changed(part, rank, isThere);
    return phase > openPhase
      ? new ReadyQueue(layout, openPhase, open, later.with(phase, changed))
      : new ReadyQueue(layout, openPhase, changed, later);
  }

  private extended(part: Part, ranks: readonly number[]): Part {
    const added = ranks.filter((rank) => !part.ranks.has(rank));
    const classes = added
      .map((rank) => this.layout.classes[rank] ?? NO_CLASS)
      .filter((limitClass) => limitClass !== NO_CLASS);
    return {
      ranks: part.ranks.addAll(added),
      counts: part.counts.withEach(classes, (count) => count + 1),
    };
  }

  private changed({ ranks, counts }: Part, rank: number, isThere: boolean): Part {
    const limitClass = this.layout.classes[rank] ?? NO_CLASS;
    const by = isThere ? 1 : -1;
    return {
      ranks: isThere ? ranks.add(rank) : ranks.delete(rank),
      counts:
        limitClass === NO_CLASS ? counts : counts.with(limitClass, counts.get(limitClass) + by),
    };
  }
}

function sum(counts: Chunked<number>, more: Chunked<number>): Chunked<number> {
  const others = more.toArray();
  return Chunked.from(counts.toArray().map((count, at) => count + (others[at] ?? 0)));
}
