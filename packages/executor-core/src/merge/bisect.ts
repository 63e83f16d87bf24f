/**
 * Which of a stack of candidates may land, found with few verify runs. A pure stepper: `nextStep`
 * says what to do, `afterVerdict` and `afterEviction` take the result in.
 *
 * Prefix bisection: the whole stack is verified first. Green lands all of it. In a red stack the
 * shortest red prefix is narrowed down by halves, every green half landing on the way, until one
 * candidate remains that turns a landed green tree red: the culprit. One culprit among n costs
 * `2 + ceil(log2 n)` runs at most, counting the run for those behind it.
 *
 * Invariants: only a prefix that was verified green lands; candidates land in stack order; a
 * candidate is evicted only when the tree of everything landed plus it alone was verified red.
 */
export interface Bisection {
  /** Candidates neither landed nor evicted, the first of the stack first. */
  readonly size: number;
  /** Length of the shortest prefix verified red, or `null` while none is. */
  readonly red: number | null;
}

export type BisectStep =
  /** Verify the tree of the first `count` candidates on top of what landed. */
  | { readonly kind: 'verify'; readonly count: number }
  /** The first candidate is a culprit: the red verdict of the prefix of length 1 is about it. */
  | { readonly kind: 'evict' }
  | { readonly kind: 'done' };

/** `size`: a whole number from 0. */
export function startBisection(size: number): Bisection {
  return { size, red: null };
}

export function nextStep({ size, red }: Bisection): BisectStep {
  if (size === 0) return { kind: 'done' };
  if (red === null) return { kind: 'verify', count: size };
  return red === 1 ? { kind: 'evict' } : { kind: 'verify', count: Math.ceil(red / 2) };
}

/**
 * The state after the prefix of length `count` was verified. After a green verdict the caller lands
 * these `count` candidates before it takes the next step. What was red stays red: landing a green
 * part of a prefix does not change the tree of the whole prefix.
 */
export function afterVerdict(state: Bisection, count: number, green: boolean): Bisection {
  if (!green) return { size: state.size, red: count };
  return { size: state.size - count, red: state.red === null ? null : state.red - count };
}

/** The state after the first candidate was evicted: nothing is known about those behind it. */
export function afterEviction(state: Bisection): Bisection {
  return { size: state.size - 1, red: null };
}
