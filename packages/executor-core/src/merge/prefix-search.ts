/**
 * Which prefixes of a stack of candidates are verified next, several at once. Pure: whoever verifies
 * starts what `nextPrefix` names and takes the verdicts in by `afterGreen` and `afterRed`.
 *
 * Prefix bisection: a stack is a line of trees, the n-th holding the first n candidates. The whole
 * batch is verified first; where that may well be red, free slots look at prefixes inside it at the
 * same time, each in the middle of the widest gap nobody looks into. A green prefix lands. Below the
 * shortest red one the search goes on, until the first candidate alone is red: the culprit. With one
 * slot this is bisection; with K slots the gaps shrink to a (K+1)-th per round. Group testing after
 * Dorfman (1943); that one by one is best from (3 - sqrt 5) / 2 = 38 % bad ones on is Ungar (1960).
 *
 * With `each`, every prefix is verified, the shortest first, and a green one lands when all shorter ones are
 * green: then each commit was looked at, not only the last of a batch.
 *
 * Invariants: only a prefix verified green lands, and none that has a shorter one known to be red; candidates
 * land in the order of the stack; one is a culprit only when it alone, on what has landed, was red.
 */
export interface PrefixSearch {
  /** Candidates of the stack that neither landed nor were evicted. */
  readonly size: number;
  /** Length of the shortest prefix verified red; `null` while none is. */
  readonly red: number | null;
  /** Lengths of the prefixes that are being verified. */
  readonly running: readonly number[];
  /** Lengths verified green that wait for shorter ones to be; only with `each`. */
  readonly held: readonly number[];
}

export interface SearchLimits {
  /** Candidates verified together at most, from 1. */
  readonly batch: number;
  /** Prefixes of this stack verified at once at most, from 1. */
  readonly width: number;
  /** Verify every prefix. */
  readonly each?: boolean;
}

/** A stack of `size` candidates of which nothing is known. */
export function startSearch(size: number): PrefixSearch {
  return { size, red: null, running: [], held: [] };
}

/** Candidates were put on top of the stack: what is known of the prefixes stays true. */
export function extendSearch(search: PrefixSearch, by: number): PrefixSearch {
  return { ...search, size: search.size + by };
}

/** The length to verify now, which the caller then adds by `starting`; `null`: wait, evict, or done. */
export function nextPrefix(
  search: PrefixSearch,
  { batch, width, each = false }: SearchLimits,
): number | null {
  const { size, red, running, held } = search;
  if (running.length >= width || size === 0 || red === 1) return null;
  if (each) {
    const known = new Set([...running, ...held]);
    for (let count = 1; count < (red ?? size + 1); count += 1) if (!known.has(count)) return count;
    return null;
  }
  const longest = Math.max(0, ...running);
  const goal = red ?? Math.max(Math.min(size, batch), longest);
  if (red === null && longest < goal) return goal;
  return middleOfWidestGap([0, ...running, goal]);
}

/** `nextPrefix` was begun. */
export function starting(search: PrefixSearch, count: number): PrefixSearch {
  return { ...search, running: [...search.running, count] };
}

/** The first `count` were green, and wait until all shorter prefixes are. */
export function holding(search: PrefixSearch, count: number): PrefixSearch {
  const running = search.running.filter((other) => other !== count);
  return { ...search, running, held: [...search.held, count] };
}

/** The longest prefix that is green with all shorter ones; 0: none. */
export function greenThroughout({ held }: PrefixSearch): number {
  let count = 0;
  while (held.includes(count + 1)) count += 1;
  return count;
}

/**
 * The first `count` were green and have landed. Shorter ones that are being verified are in vain: they
 * are no longer `running`, and the caller stops them.
 */
export function afterGreen(search: PrefixSearch, count: number): PrefixSearch {
  const { size, red, running, held } = search;
  const above = (lengths: readonly number[]): readonly number[] =>
    lengths.filter((other) => other > count).map((other) => other - count);
  return {
    size: size - count,
    red: red === null ? null : red - count,
    running: above(running),
    held: above(held),
  };
}

/** The first `count` together were red. Longer ones that are being verified are in vain, as above. */
export function afterRed(search: PrefixSearch, count: number): PrefixSearch {
  const { size, red, running, held } = search;
  return {
    size,
    red: Math.min(count, red ?? count),
    running: running.filter((other) => other < count),
    held: held.filter((other) => other < count),
  };
}

/** The first candidate is to blame: alone on what has landed it was red. */
export function hasCulprit({ red }: PrefixSearch): boolean {
  return red === 1;
}

function middleOfWidestGap(points: readonly number[]): number | null {
  const sorted = [...new Set(points)].sort((a, b) => a - b);
  let widest = { from: 0, gap: 1 };
  sorted.forEach((from, index) => {
    const gap = (sorted[index + 1] ?? from) - from;
    if (gap > widest.gap) widest = { from, gap };
  });
  return widest.gap < 2 ? null : widest.from + Math.ceil(widest.gap / 2);
}
