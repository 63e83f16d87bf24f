import { SECRET_FORMATS } from './secret-formats';

/** Characters `start` (inclusive) to `end` of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where a text holds secrets; in order, apart from each other. */
export type FindSecrets = (text: string) => readonly Span[];

interface Trigger {
  readonly start: string;
  /** Sticky: it matches from the beginning on, or not at all. */
  readonly pattern: RegExp;
  readonly before: number;
}

/** Not inside a word; the end of a terminal's colour sequence is no part of one. */
const AT_WORD = '(?:(?<![A-Za-z0-9_-])|(?<=\\u001b\\[[0-9;]{0,12}m))';
const PAIRS = 1 << 16;

/** Every program of a run has nearly the same secrets, and to prepare for them takes some milliseconds. */
const MOST_KNOWN = 16;
const known = new Map<string, FindSecrets>();

/**
 * Finds the known formats and these values, longest first. Linear: by their first two characters, what
 * does not begin like a secret is passed over at some nanoseconds a character.
 */
export function secretFinder(values: readonly string[]): FindSecrets {
  const key = JSON.stringify(values);
  const found = known.get(key) ?? makeFinder(values);
  // The one asked for last goes last.
  known.delete(key);
  known.set(key, found);
  const [oldest] = known.keys();
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  return found;
}

function makeFinder(values: readonly string[]): FindSecrets {
  const literal = values.map((start) => ({
    start,
    pattern: new RegExp(escaped(start), 'y'),
    before: 0,
  }));
  // 0: nothing begins so; else a place in `lists`.
  const table = new Uint16Array(PAIRS);
  const lists: Trigger[][] = [[]];
  for (const trigger of [...literal, ...FORMATS]) {
    for (const pair of pairsOf(trigger)) {
      if (table[pair] === 0) table[pair] = lists.push([]) - 1;
      lists[table[pair] ?? 0]?.push(trigger);
    }
  }
  return (text) => {
    const spans: Span[] = [];
    let previous = 0;
    let told = 0;
    for (let at = 0; at < text.length; at += 1) {
      const current = text.charCodeAt(at) & 0xff;
      const list = table[(previous << 8) | current];
      previous = current;
      if (list === undefined || list === 0) continue;
      const span = spanAt(text, at - 1, lists[list] ?? []);
      if (span === null) continue;
      spans.push({ start: Math.max(told, span.start), end: span.end });
      told = span.end;
      at = told - 1;
      previous = 0;
    }
    return spans;
  };
}

function spanAt(text: string, at: number, triggers: readonly Trigger[]): Span | null {
  // Most are told apart by one more character; 0x20 makes letters small.
  const third = text.charCodeAt(at + 2) | 0x20;
  for (const { start, pattern, before } of triggers) {
    if (start.length > 2 && third !== (start.charCodeAt(2) | 0x20)) continue;
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) continue;
    const [whole, inner] = found;
    const end = at + whole.length;
    if (inner === undefined) return { start: at - before, end };
    const from = at + whole.lastIndexOf(inner);
    return { start: from, end: from + inner.length };
  }
  return null;
}

const FORMATS: readonly Trigger[] = SECRET_FORMATS.flatMap(
  ({ starts, rest, atWord = false, anyCase = false, before = 0 }) =>
    starts.map((start) => {
      const source = `${atWord ? AT_WORD : ''}${escaped(start)}${rest}`;
      return { start, before, pattern: new RegExp(source, anyCase ? 'yi' : 'y') };
    }),
);

function pairsOf({ start, pattern }: Trigger): readonly number[] {
  const forms = (char: string): readonly string[] =>
    pattern.ignoreCase ? [...new Set([char.toLowerCase(), char.toUpperCase()])] : [char];
  const code = (char: string): number => char.charCodeAt(0) & 0xff;
  const [first, second] = [start.charAt(0), start.charAt(1)];
  return forms(first).flatMap((a) => forms(second).map((b) => (code(a) << 8) | code(b)));
}

/** As a literal in the source of a regular expression. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
