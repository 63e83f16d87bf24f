import { expandBraces } from './brace-expansion';

/** Sorted, disjoint, inclusive ranges of UTF-16 code units; `/` is in none of them. */
export type Units = readonly (readonly [number, number])[];
/** One step inside a segment: any run of units, or one unit of a set. */
export type Token = '*' | Units;
/** One step of a path: any number of segments, or one segment. `text`: the only name it matches. */
export type Segment = '**' | { readonly text: string | null; readonly tokens: readonly Token[] };

/** One brace-free reading of a glob. A literal path ends with `**`: it may name a folder. */
export interface GlobPattern {
  readonly segments: readonly Segment[];
  /** The leading segments that match one name only. */
  readonly prefix: readonly string[];
  /** `true` when the glob is a plain path, which stands for itself and everything below it. */
  readonly literal: boolean;
}

const SLASH = 0x2f;
/** What `?` matches: every unit but the separator. */
export const ANY_UNIT: Units = [
  [0, SLASH - 1],
  [SLASH + 1, 0xffff],
];

const EXTGLOB = /[@?*+!]\(/;
const POSIX_CLASS = /\[\[[:.=]/;
const NEGATED_BY_BANG = /\[!/;
const MAX_LENGTH = 1024;
const MAX_CACHED = 20_000;
const cache = new Map<string, readonly GlobPattern[] | null>();

/**
 * Reads a glob of the access dialect (see `Access`); a leading `!` is the caller's. `./` in front,
 * empty segments and `.` segments are dropped, a trailing `/` means "everything below", and `**`
 * beside other characters of its segment is an ordinary `*`. A class is read twice, as a class and as
 * plain text, because `app/[slug]/page.tsx` is a common file name; the text is no plain path, though,
 * and stands for itself alone.
 *
 * @returns every brace-free reading, or `null` for syntax outside the dialect (extglob, `[!a]`,
 * `[[:alpha:]]`, backslashes, ranges in braces, too many alternatives). Results are shared: read only.
 */
export function parseGlob(glob: string): readonly GlobPattern[] | null {
  const known = cache.get(glob);
  if (known !== undefined) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const parsed = parseAll(glob);
  cache.set(glob, parsed);
  return parsed;
}

function parseAll(glob: string): readonly GlobPattern[] | null {
  if (glob.length > MAX_LENGTH || glob.includes('\\')) return null;
  if (EXTGLOB.test(glob) || POSIX_CLASS.test(glob) || NEGATED_BY_BANG.test(glob)) return null;
  const alternatives = expandBraces(glob);
  if (alternatives === null) return null;
  const patterns: GlobPattern[] = [];
  for (const alternative of alternatives) {
    const asClass = parseOne(alternative, true);
    if (asClass === null) return null;
    patterns.push(asClass);
    const asText = alternative.includes('[') ? parseOne(alternative, false) : null;
    if (asText !== null) patterns.push(asText);
  }
  return patterns;
}

function parseOne(glob: string, classes: boolean): GlobPattern | null {
  const segments: Segment[] = [];
  for (const part of glob.split('/')) {
    if (part === '' || part === '.') continue;
    const segment = parseSegment(part, classes);
    if (segment === null) return null;
    if (segment !== '**' || segments.at(-1) !== '**') segments.push(segment);
  }
  const literal =
    !glob.includes('[') && segments.every((segment) => segment !== '**' && segment.text !== null);
  if ((literal || glob.endsWith('/')) && segments.at(-1) !== '**') segments.push('**');
  return { segments, prefix: literalPrefix(segments), literal };
}

function literalPrefix(segments: readonly Segment[]): readonly string[] {
  const prefix: string[] = [];
  for (const segment of segments) {
    if (segment === '**' || segment.text === null) break;
    prefix.push(segment.text);
  }
  return prefix;
}

function parseSegment(part: string, classes: boolean): Segment | null {
  if (/^\*{2,}$/.test(part)) return '**';
  if (!/[*?[]/.test(part)) return new PlainSegment(part);
  const tokens: Token[] = [];
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at] ?? '';
    const end = classes && character === '[' ? classEnd(part, at) : -1;
    if (end > 0) {
      const units = parseClass(part.slice(at + 1, end));
      if (units === null) return null;
      tokens.push(units);
      at = end;
    } else if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else {
      const unit = character.charCodeAt(0);
      tokens.push(character === '?' ? ANY_UNIT : [[unit, unit]]);
    }
  }
  return { text: onlyText(tokens), tokens };
}

/** A name: its tokens are made when a segment with wildcards is compared with it, if ever. */
class PlainSegment {
  private made: readonly Token[] | null = null;

  constructor(readonly text: string) {}

  get tokens(): readonly Token[] {
    this.made ??= Array.from({ length: this.text.length }, (_, at) => {
      const unit = this.text.charCodeAt(at);
      return [[unit, unit]];
    });
    return this.made;
  }
}

/** Position of the `]` that ends the class opened at `open`, or -1: then `[` is a plain character. */
function classEnd(part: string, open: number): number {
  const first = part[open + 1] === '^' ? open + 2 : open + 1;
  return part.indexOf(']', first + 1);
}

/** Units of a class body such as `a-z` or `^abc`; `null` when a range runs backwards. */
function parseClass(body: string): Units | null {
  const negated = body.startsWith('^');
  const text = negated ? body.slice(1) : body;
  const ranges: [number, number][] = [];
  for (let at = 0; at < text.length; at += 1) {
    const low = text.charCodeAt(at);
    const isRange = text[at + 1] === '-' && at + 2 < text.length;
    const high = isRange ? text.charCodeAt(at + 2) : low;
    if (high < low) return null;
    ranges.push([low, high]);
    if (isRange) at += 2;
  }
  return subtract(negated ? ANY_UNIT : merge(ranges), negated ? ranges : [[SLASH, SLASH]]);
}

function merge(ranges: readonly (readonly [number, number])[]): Units {
  const merged: [number, number][] = [];
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

function subtract(from: Units, holes: readonly (readonly [number, number])[]): Units {
  let left = from;
  for (const [low, high] of holes) {
    left = left.flatMap(([a, b]): (readonly [number, number])[] => {
      if (high < a || low > b) return [[a, b]];
      const pieces: (readonly [number, number])[] = [];
      if (a < low) pieces.push([a, low - 1]);
      if (b > high) pieces.push([high + 1, b]);
      return pieces;
    });
  }
  return left;
}

/** The one name these tokens match, or `null` when they match several (or none). */
function onlyText(tokens: readonly Token[]): string | null {
  let text = '';
  for (const token of tokens) {
    const [first, ...others] = token === '*' ? [] : token;
    if (first === undefined || others.length > 0 || first[0] !== first[1]) return null;
    text += String.fromCharCode(first[0]);
  }
  return text;
}
