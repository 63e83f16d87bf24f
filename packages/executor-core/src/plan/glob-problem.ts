import { expandBraces } from '../graph/brace-expansion';
import { parseGlob } from '../graph/glob-pattern';

const MAX_LENGTH = 1024;
/** Matching costs length^stars in the worst case; four keep it far below a millisecond. */
const MAX_STARS = 4;

/** A mistake in a path or glob: `code` as in diagnostics, `problem` in the form "it …". */
export interface PathProblem {
  readonly code: 'bad-glob' | 'reserved-path';
  readonly problem: string;
  readonly fix: string | null;
}

/**
 * Why `glob` may not be part of an access, or `null` if it may. Use it for every glob that comes from
 * outside: plan files, the API, an agent's request for more room. A leading `!` is allowed.
 *
 * @param worktreeBase folder of the worktrees, which no access may enter.
 */
export function globProblem(glob: string, worktreeBase: string): PathProblem | null {
  if (isOrdinary(glob, worktreeBase)) return null;
  const body = glob.startsWith('!') ? glob.slice(1) : glob;
  return (
    pathProblem(body, worktreeBase) ??
    bad(dialectProblem(body), 'The dialect is * ** ? {a,b} [a-z] [^a] and a leading !.')
  );
}

/**
 * Why `path` may not be a path (or glob) in the repository, or `null` if it may: no traversal, no
 * absolute path, no shell text, nothing that belongs to git or to us.
 */
export function pathProblem(path: string, worktreeBase: string): PathProblem | null {
  const slashes = 'Use a path from the repository root, with "/".';
  return (
    bad(lengthProblem(path), null) ??
    bad(characterProblem(path), slashes) ??
    bad(locationProblem(path), slashes) ??
    reservedProblem(path, worktreeBase)
  );
}

/** Names without a leading dot; stars stand for a name, or for its part before the extension. */
const ORDINARY =
  /^(?:[A-Za-z0-9_-][\w.-]*|\*)(?:\/(?:[A-Za-z0-9_-][\w.-]*|\*))*(?:\/\*\*|\/\*\.\w+)?$/;

/**
 * Quickly `true` for what nearly every glob is, where no problem can be: the folder of worktrees begins
 * with a dot, and none of the names does. `false` says nothing.
 */
function isOrdinary(glob: string, worktreeBase: string): boolean {
  return /^\.[^./]/.test(worktreeBase) && glob.length <= MAX_LENGTH && ORDINARY.test(glob);
}

function bad(problem: string | null, fix: string | null): PathProblem | null {
  return problem === null ? null : { code: 'bad-glob', problem, fix };
}

function lengthProblem(path: string): string | null {
  if (path === '') return 'it is empty';
  return path.length > MAX_LENGTH ? `it is longer than ${MAX_LENGTH} characters` : null;
}

function characterProblem(path: string): string | null {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(path)) return 'it holds a control character or a line break';
  if (path.includes('\\')) return 'it holds a backslash';
  const shell = /\$[({]|[;`|&<>]/.exec(path);
  return shell === null ? null : `it holds shell text (${JSON.stringify(shell[0])})`;
}

function locationProblem(path: string): string | null {
  if (/^(?:\/|~|[A-Za-z]:)/.test(path)) return 'it is not relative to the repository';
  const names = (expandBraces(path) ?? [path]).flatMap((one) => one.split('/'));
  const isTraversal = names.some((name) => name.replace(/\[\.\]/g, '.') === '..');
  return isTraversal ? 'it leaves its folder with ".."' : null;
}

/** Git refuses `.git` in any folder and in any letter case; ours lie at the root. */
function reservedProblem(path: string, worktreeBase: string): PathProblem | null {
  const folded = path.toLowerCase();
  if (!mayBeReserved(folded, worktreeBase.toLowerCase())) return null;
  const patterns = parseGlob(folded) ?? [];
  const isGit = patterns.some((pattern) =>
    pattern.segments.some((segment) => segment !== '**' && segment.text === '.git'),
  );
  const base = worktreeBase
    .toLowerCase()
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  const isWithin = (folder: readonly string[]): boolean =>
    folder.length > 0 &&
    patterns.some(({ prefix }) => folder.every((name, at) => prefix[at] === name));
  if (!isGit && !isWithin(['.parallel']) && !isWithin(base)) return null;
  const folder = isGit ? '.git' : isWithin(['.parallel']) ? '.parallel' : worktreeBase;
  return {
    code: 'reserved-path',
    problem: `it lies in ${folder}, which no task may touch`,
    fix: 'Name files of the project.',
  };
}

/** Quickly `false` for nearly every path: only braces and classes can spell a name in pieces. */
function mayBeReserved(path: string, worktreeBase: string): boolean {
  if (/[{[]/.test(path)) return true;
  const first = worktreeBase.split('/').find((name) => name !== '' && name !== '.') ?? '';
  return path.includes('.git') || path.includes('.parallel') || path.includes(first);
}

/** Only these can make a glob that the dialect does not know. */
const MAY_BE_FOREIGN = /[[\]{}()\\]/;

function dialectProblem(glob: string): string | null {
  if (glob.includes('[!')) return 'it uses "[!…]"; write "[^…]"';
  if (MAY_BE_FOREIGN.test(glob) && parseGlob(glob) === null) {
    return 'it uses glob syntax that is not supported';
  }
  const names = glob.split('/');
  const deep = names.filter((name) => name === '**').length;
  const wide = Math.max(...names.map((name) => name.split(/\*+/).length - 1));
  if (deep > MAX_STARS) return `it holds more than ${MAX_STARS} "**"`;
  return wide > MAX_STARS ? `it holds more than ${MAX_STARS} "*" in one name` : null;
}
