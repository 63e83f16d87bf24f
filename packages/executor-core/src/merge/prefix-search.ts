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
}

export interface SearchLimits {
  /** Candidates verified together at most, from 1. */
  readonly batch: number;
  /** Prefixes of this stack verified at once at most, from 1. */
  readonly width: number;
}

/** A stack of `size` candidates of which nothing is known. */
export function startSearch(size: number): PrefixSearch {
  return { size, red: null, running: [] };
}

/** Candidates were put on top of the stack: what is known of the prefixes stays true. */
export function extendSearch(search: PrefixSearch, by: number): PrefixSearch {
  return { ...search, size: search.size + by };
}

/** The length to verify now, which the caller then adds by `starting`; `null`: wait, evict, or done. */
export function nextPrefix(search: PrefixSearch, { batch, width }: SearchLimits): number | null {
  const { size, red, running } = search;
  if (running.length >= width || size === 0 || red === 1) return null;
  const longest = Math.max(0, ...running);
  const goal = red ?? Math.max(Math.min(size, batch), longest);
  if (red === null && longest < goal) return goal;
  return middleOfWidestGap([0, ...running, goal]);
}

/** `nextPrefix` was begun. */
export function starting(search: PrefixSearch, count: number): PrefixSearch {
  return { ...search, running: [...search.running, count] };
}

/**
 * The first `count` were green and have landed. Shorter ones that are being verified are in vain: they
 * are no longer `running`, and the caller stops them.
 */
export function afterGreen({ size, red, running }: PrefixSearch, count: number): PrefixSearch {
  return {
    size: size - count,
    red: red === null ? null : red - count,
    running: running.filter((other) => other > count).map((other) => other - count),
  };
}

/** The first `count` together were red. Longer ones that are being verified are in vain, as above. */
export function afterRed({ size, red, running }: PrefixSearch, count: number): PrefixSearch {
  return {
    size,
    red: Math.min(count, red ?? count),
    running: running.filter((other) => other < count),
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
