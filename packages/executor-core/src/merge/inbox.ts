import type { Arrivals } from './drain-context';
import type { QueueItem } from './stack';

/** What is queued for a drain, which goes on while it works. */
export class Inbox {
  private readonly seen: Set<string>;

  /** `queue`: what the drain has begun with; without `arrivals` nothing comes and nothing is taken back. */
  constructor(
    queue: readonly QueueItem[],
    private readonly arrivals?: Arrivals,
  ) {
    this.seen = new Set(queue.map(keyOf));
  }

  /** Resolves when there is more than at the time of the call. */
  next(): Promise<void> {
    return this.arrivals?.next() ?? new Promise(() => undefined);
  }

  /** What has come since the last look, and whether an item was taken back: somebody has cancelled it. */
  async look(): Promise<{
    readonly fresh: readonly QueueItem[];
    readonly isGone: (item: QueueItem) => boolean;
  }> {
    if (this.arrivals === undefined) return { fresh: [], isGone: () => false };
    const waiting = await this.arrivals.read();
    const fresh = waiting.filter((item) => !this.seen.has(keyOf(item)));
    for (const item of fresh) this.seen.add(keyOf(item));
    const there = new Set(waiting.map(keyOf));
    return { fresh, isGone: (item) => !there.has(keyOf(item)) };
  }
}

/** A candidate is read anew from the journal, as another object. */
function keyOf({ task, candidate: { ref, commit } }: QueueItem): string {
  return [task, ref, commit].join(' ');
}
