import picomatch from 'picomatch';
import { ANY_UNIT, parseGlob, type GlobPattern, type Segment, type Token } from './glob-pattern';

type Matcher = (path: string) => boolean;

const MAX_CACHED = 20_000;
const MAX_LENGTH = 1024;
const cache = new Map<string, Matcher>();

/** Everything picomatch would read beyond the dialect is off: we hand it one brace-free reading. */
const PLAIN = {
  dot: true,
  nobrace: true,
  noextglob: true,
  nonegate: true,
  fastpaths: false,
} as const;

/**
 * Compiles a list of access globs into a test of repository paths (`/`-separated, no leading `./`).
 * A path passes when some glob matches it and no `!` entry does, in any order. A plain path also
 * matches everything below it. Compiled globs are shared between calls.
 */
export function compileAccess(globs: readonly string[]): (path: string) => boolean {
  const included = globs.filter((glob) => !glob.startsWith('!')).map(compileGlob);
  const excluded = globs
    .filter((glob) => glob.startsWith('!'))
    .map((glob) => compileGlob(glob.slice(1)));
  return (path) =>
    included.some((matches) => matches(path)) && !excluded.some((matches) => matches(path));
}

function compileGlob(glob: string): Matcher {
  const known = cache.get(glob);
  if (known !== undefined) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const patterns = parseGlob(glob);
  const matcher =
    patterns === null ? compileForeign(glob) : anyOf(patterns.flatMap(compilePattern));
  cache.set(glob, matcher);
  return matcher;
}

function anyOf(matchers: readonly Matcher[]): Matcher {
  const [only] = matchers;
  if (only !== undefined && matchers.length === 1) return only;
  return (path) => matchers.some((matches) => matches(path));
}

/** Syntax outside the dialect means what picomatch says; overlap checks treat it as everything. */
function compileForeign(glob: string): Matcher {
  return glob.length > MAX_LENGTH ? () => false : picomatch(glob, { dot: true });
}

function compilePattern(pattern: GlobPattern): readonly Matcher[] {
  if (pattern.literal) {
    const path = pattern.prefix.join('/');
    return [(other) => path === '' || other === path || other.startsWith(`${path}/`)];
  }
  const { segments } = pattern;
  // picomatch wants one segment for the `**` of `x*/**`; the dialect lets it stand for none.
  const isOpen = segments.length > 1 && segments.at(-1) === '**';
  const readings = isOpen ? [segments, segments.slice(0, -1)] : [segments];
  return readings.map((reading) => {
    const expression = picomatch.makeRe(reading.map(renderSegment).join('/'), PLAIN);
    return (path) => expression.test(path);
  });
}

function renderSegment(segment: Segment): string {
  return segment === '**' ? '**' : segment.tokens.map(renderToken).join('');
}

function renderToken(token: Token): string {
  if (token === '*') return '*';
  if (token === ANY_UNIT) return '?';
  const [first] = token;
  if (token.length === 1 && first !== undefined && first[0] === first[1]) {
    const character = String.fromCharCode(first[0]);
    return /[\w\-\u0080-\uffff]/.test(character) ? character : `\\${character}`;
  }
  return `[${token.map(([low, high]) => `${escapeUnit(low)}-${escapeUnit(high)}`).join('')}]`;
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
