import type { Access } from '../model/access';
import { commonPath } from './common-path';
import { parseGlob, type GlobPattern, type Segment, type Token } from './glob-pattern';

export { compileAccess } from './access-matcher';

/**
 * `true` when some path matches both globs (dialect: see `Access`; no leading `!`). Exact for the
 * dialect; `true` for syntax outside it. It never says `false` when a common path exists.
 *
 * Algorithm: the product of two segment automata, in which `**` takes any number of the other side's
 * segments; two segments are decided by the same product over their characters.
 */
export function globsOverlap(a: string, b: string): boolean {
  const left = parseGlob(a);
  const right = parseGlob(b);
  if (left === null || right === null) return true;
  return left.some((one) => right.some((other) => patternsMeet(one, other)));
}

/**
 * `true` when two lists of globs have a common path. An entry with a leading `!` excludes; a list of
 * exclusions alone holds nothing. Exact for the dialect, exclusions and all; what is outside the dialect
 * or too large to decide errs towards `true`.
 */
export function accessSetsOverlap(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 0 || b.length === 0) return false;
  const left = splitExclusions(a);
  const right = splitExclusions(b);
  const excluded = [...left.excluded, ...right.excluded];
  return left.included.some((one) =>
    right.included.some(
      (other) =>
        globsOverlap(one, other) && (excluded.length === 0 || overlapOutside(one, other, excluded)),
    ),
  );
}

const MAX_CACHED = 20_000;
const outside = new Map<string, boolean>();

function overlapOutside(one: string, other: string, excluded: readonly string[]): boolean {
  const key = [one, other, ...excluded].join('\n');
  const known = outside.get(key);
  if (known !== undefined) return known;
  if (outside.size >= MAX_CACHED) outside.clear();
  const overlaps = commonPath(one, other, excluded).kind !== 'none';
  outside.set(key, overlaps);
  return overlaps;
}

/** `true` when two accesses may not be held at once: an overlap in which at least one side writes. */
export function accessConflict(a: Access, b: Access): boolean {
  return (
    accessSetsOverlap(a.writes, b.writes) ||
    accessSetsOverlap(a.writes, b.reads) ||
    accessSetsOverlap(a.reads, b.writes)
  );
}

/** Separates the globs of a list from its exclusions (given without their `!`). */
export function splitExclusions(globs: readonly string[]): {
  readonly included: readonly string[];
  readonly excluded: readonly string[];
} {
  return {
    included: globs.filter((glob) => !glob.startsWith('!')),
    excluded: globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1)),
  };
}

function patternsMeet(a: GlobPattern, b: GlobPattern): boolean {
  const shared = Math.min(a.prefix.length, b.prefix.length);
  for (let at = 0; at < shared; at += 1) if (a.prefix[at] !== b.prefix[at]) return false;
  return sequencesMeet(a.segments, b.segments, shared, '**', segmentsMeet);
}

function segmentsMeet(a: Exclude<Segment, '**'>, b: Exclude<Segment, '**'>): boolean {
  if (a.text !== null && b.text !== null) return a.text === b.text;
  return sequencesMeet(a.tokens, b.tokens, 0, '*', unitsMeet);
}

function unitsMeet(a: Exclude<Token, '*'>, b: Exclude<Token, '*'>): boolean {
  return a.some(([low, high]) => b.some(([from, to]) => from <= high && low <= to));
}

type Sequence<Element, Wild> = readonly (Element | Wild)[];

/**
 * Whether two sequences with a wildcard that takes any number of elements have a common reading.
 * Elements at either end that face each other are compared first. What is left has a wildcard at each
 * end of the pair; where these lie crosswise (`**A` and `B**`), `BA` is a common reading.
 */
function sequencesMeet<Element extends object, Wild extends string>(
  a: Sequence<Element, Wild>,
  b: Sequence<Element, Wild>,
  start: number,
  wild: Wild,
  meets: (x: Element, y: Element) => boolean,
): boolean {
  let from = start;
  for (; from < a.length && from < b.length; from += 1) {
    const [x, y] = [a[from], b[from]];
    if (typeof x !== 'object' || typeof y !== 'object') break;
    if (!meets(x, y)) return false;
  }
  let [endA, endB] = [a.length, b.length];
  for (; endA > from && endB > from; endA -= 1, endB -= 1) {
    const [x, y] = [a[endA - 1], b[endB - 1]];
    if (typeof x !== 'object' || typeof y !== 'object') break;
    if (!meets(x, y)) return false;
  }
  if (endA > from && endB > from) {
    if (a[from] === wild && b[endB - 1] === wild) return true;
    if (b[from] === wild && a[endA - 1] === wild) return true;
  }
  return productMeets(a.slice(from, endA), b.slice(from, endB), wild, meets);
}

/** `row[j]` tells whether `a[i…]` and `b[j…]` meet; rows are filled from the ends. O(|a|·|b|). */
function productMeets<Element extends object, Wild extends string>(
  a: Sequence<Element, Wild>,
  b: Sequence<Element, Wild>,
  wild: Wild,
  meets: (x: Element, y: Element) => boolean,
): boolean {
  let below: boolean[] = [];
  for (let i = a.length; i >= 0; i -= 1) {
    const row: boolean[] = new Array<boolean>(b.length + 1).fill(false);
    for (let j = b.length; j >= 0; j -= 1) {
      const x = a[i];
      const y = b[j];
      if (x === undefined && y === undefined) row[j] = true;
      else if (x === wild || y === wild) row[j] = below[j] === true || row[j + 1] === true;
      else if (typeof x === 'object' && typeof y === 'object') {
        row[j] = below[j + 1] === true && meets(x, y);
      }
    }
    below = row;
  }
  return below[0] === true;
}
