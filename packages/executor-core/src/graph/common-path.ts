import { DEAD, globAutomata, type GlobAutomaton } from './glob-automaton';

/** States of the product that are looked at before giving up; a plan's globs need some dozens. */
const MAX_VISITED = 20_000;

const SMALL = 2 ** 17;

/** `undecided`: outside the dialect, or too large to search; treat it as an overlap. */
export type CommonPath =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'undecided' };

/**
 * A shortest path that both globs match and none of `excluded` does (all without a leading `!`).
 *
 * Algorithm: breadth-first search of the product of the automata of both globs and all exclusions, over
 * an alphabet cut into classes that none of them tells apart. They are deterministic, because a path is
 * left over only when *no* run of an exclusion accepts it. An exclusion outside the dialect is
 * ignored, which errs towards an overlap.
 */
export function commonPath(a: string, b: string, excluded: readonly string[] = []): CommonPath {
  const [left, right] = [globAutomata(a), globAutomata(b)];
  if (left === null || right === null) return { kind: 'undecided' };
  const holes = excluded.flatMap((glob) => globAutomata(glob) ?? []);
  let undecided = false;
  for (const one of left) {
    for (const other of right) {
      const found = search(one, other, holes);
      if (found.kind === 'path') return found;
      undecided ||= found.kind === 'undecided';
    }
  }
  return undecided ? { kind: 'undecided' } : { kind: 'none' };
}

/** A state of the product, and how it was reached first. */
interface Product {
  readonly a: number;
  readonly b: number;
  readonly holes: readonly number[];
  readonly from: Product | null;
  readonly unit: number;
}

/** Breadth-first search of the product. */
function search(
  one: GlobAutomaton,
  other: GlobAutomaton,
  exclusions: readonly GlobAutomaton[],
): CommonPath {
  const alphabet = unitsOf([one, other, ...exclusions]);
  const holes = exclusions.map(({ start }) => start);
  const queue: Product[] = [{ a: one.start, b: other.start, holes, from: null, unit: 0 }];
  const seen = new Set<number | string>();
  // The queue grows while it is walked.
  for (const from of queue) {
    if (queue.length > MAX_VISITED) return { kind: 'undecided' };
    for (const unit of alphabet) {
      const a = one.next(from.a, unit);
      const b = a === DEAD ? DEAD : other.next(from.b, unit);
      if (b === DEAD) continue;
      const next = from.holes.map((hole, at) => exclusions[at]?.next(hole, unit) ?? DEAD);
      const key = keyOf(a, b, next);
      if (seen.has(key)) continue;
      seen.add(key);
      const product = { a, b, holes: next, from, unit };
      const isExcluded = next.some((hole, at) => exclusions[at]?.accepts(hole) === true);
      if (one.accepts(a) && other.accepts(b) && !isExcluded) {
        return { kind: 'path', path: pathTo(product) };
      }
      queue.push(product);
    }
  }
  return { kind: 'none' };
}

/** A number where it fits, which is several times faster to look up. */
function keyOf(a: number, b: number, holes: readonly number[]): number | string {
  const [first = DEAD, ...others] = holes;
  const isSmall = others.length === 0 && a < SMALL && b < SMALL && first < SMALL;
  return isSmall ? (a * SMALL + b) * SMALL + first + 1 : `${a},${b},${holes.join()}`;
}

function pathTo(product: Product): string {
  const units: number[] = [];
  for (let at: Product = product; at.from !== null; at = at.from) units.push(at.unit);
  return String.fromCharCode(...units.reverse());
}

/** One unit of each class, a readable one where there is one, and those first. */
function unitsOf(automata: readonly GlobAutomaton[]): readonly number[] {
  const cuts = [...new Set(automata.flatMap((automaton) => automaton.cuts))].sort((x, y) => x - y);
  const units = cuts.map((low, at) => readable(low, (cuts[at + 1] ?? 0x10000) - 1));
  return units.sort((x, y) => taste(x) - taste(y) || x - y);
}

const FAVOURITES = 'xabcdefghijklmnopqrstuvwyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.';
const FAVOURITE_UNITS = Array.from(FAVOURITES, (character) => character.charCodeAt(0));
const TASTE = new Map(FAVOURITE_UNITS.map((unit, at) => [unit, at]));

function readable(low: number, high: number): number {
  return FAVOURITE_UNITS.find((unit) => low <= unit && unit <= high) ?? low;
}

function taste(unit: number): number {
  return TASTE.get(unit) ?? FAVOURITE_UNITS.length;
}
