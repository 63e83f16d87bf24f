import { Heap } from './heap';

/** A node of the graph to simulate: `after` are positions in the same list. */
export interface ScheduledWork {
  readonly duration: number;
  readonly after: readonly number[];
}

/**
 * Makespan of list scheduling on `workers` equal workers, without contention for files: whenever a
 * worker is free it takes the ready item with the longest remaining path (Graham 1969; within 2 − 1/p
 * of the best). Durations are non-negative, in any unit. O((n + e) log n).
 *
 * @returns `null` when the items wait for each other in a circle.
 */
export function simulateMakespan(work: readonly ScheduledWork[], workers: number): number | null {
  const next: number[][] = work.map(() => []);
  const missing = work.map((item) => item.after.length);
  work.forEach((item, at) => {
    for (const before of item.after) next[before]?.push(at);
  });
  const tails = remainingPaths(work, next);
  if (tails === null) return null;

  const ready = new Heap((at) => -(tails[at] ?? 0));
  const ends: number[] = new Array<number>(work.length).fill(0);
  const running = new Heap((at) => ends[at] ?? 0);
  missing.forEach((count, at) => {
    if (count === 0) ready.push(at);
  });
  let now = 0;
  for (;;) {
    while (running.size < workers && ready.size > 0) {
      const at = ready.pop();
      ends[at] = now + (work[at]?.duration ?? 0);
      running.push(at);
    }
    if (running.size === 0) return now;
    const done = running.pop();
    now = ends[done] ?? now;
    for (const at of next[done] ?? []) {
      const left = (missing[at] ?? 0) - 1;
      missing[at] = left;
      if (left === 0) ready.push(at);
    }
  }
}

/** Longest path from each item to the end, itself included; `null` on a cycle. */
function remainingPaths(
  work: readonly ScheduledWork[],
  next: readonly (readonly number[])[],
): readonly number[] | null {
  const missing = next.map((after) => after.length);
  const order = [...missing.keys()].filter((at) => missing[at] === 0);
  const tails: number[] = work.map((item) => item.duration);
  for (const at of order) {
    for (const before of work[at]?.after ?? []) {
      tails[before] = Math.max(
        tails[before] ?? 0,
        (work[before]?.duration ?? 0) + (tails[at] ?? 0),
      );
      const left = (missing[before] ?? 0) - 1;
      missing[before] = left;
      if (left === 0) order.push(before);
    }
  }
  return order.length === work.length ? tails : null;
}
