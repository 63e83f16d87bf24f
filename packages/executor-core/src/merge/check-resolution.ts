import type { Git, GitObjects } from '../ports/git';
import { comparableLines, lostGains } from './ladder/gained-lines';
import { hasMarkers, targetHunks } from './ladder/merge-parts';
import type { FileVersion, PathConflict } from './ladder/path-conflict';
import { pathConflicts } from './ladder/path-conflict';
import { versionAt } from './ladder/replace-files';
import { isSafeResult } from './ladder/safe-result';
import type { ConflictState } from './merge-tree';
import { changedPaths } from './trees';

const REGULAR = /^100/;
const NAMED = 3;

/** `problem`: why it may not land, in a few words. `losers`: by path, the target's blob where its lines were rewritten. */
export type ResolutionCheck =
  { readonly problem: string } | { readonly losers: ReadonlyMap<string, string> };

/**
 * Whether a tree may land as what an agent made of a conflict. Only paths in conflict may differ from the
 * merge, none of them with a conflict marker that neither side had, and everything the target gained since
 * the base must be in them. But for the target's lines in a hunk in conflict, where the agent wrote a line
 * that no version has: to make one line of two that say different things is what it is asked for.
 */
export async function checkResolution(
  { git, root }: { readonly git: Git; readonly root: string },
  state: ConflictState,
  tree: string,
): Promise<ResolutionCheck> {
  const objects = git.objects(root);
  const allowed = new Set(state.paths);
  const changed = (await changedPaths(objects, state.tree, tree)).map(({ path }) => path);
  const strayed = changed.filter((path) => !allowed.has(path));
  if (strayed.length > 0) {
    const named = strayed.slice(0, NAMED).join(', ');
    return { problem: `it changed files that are not in conflict: ${named}` };
  }
  const losers = new Map<string, string>();
  for (const conflict of pathConflicts(state)) {
    const { path, ours } = conflict;
    const marked = await versionAt(objects, state.tree, path);
    const result = await versionAt(objects, tree, path);
    const answer = await checkPath(objects, conflict, marked, result);
    if (answer.problem !== null) return { problem: answer.problem };
    if (answer.isRewritten && ours !== null) losers.set(path, ours.id);
  }
  return { losers };
}

interface PathCheck {
  readonly problem: string | null;
  /** Lines of the target are gone, for others that say what both sides wanted. */
  readonly isRewritten: boolean;
}

const WHOLE: PathCheck = { problem: null, isRewritten: false };

async function checkPath(
  objects: GitObjects,
  conflict: PathConflict,
  marked: FileVersion | null,
  result: FileVersion | null,
): Promise<PathCheck> {
  const { path } = conflict;
  const refuse = (problem: string): PathCheck => ({ problem, isRewritten: false });
  const dropped = refuse(`it dropped what the target gained in ${path}`);
  const read = async (version: FileVersion | null): Promise<string | null> =>
    version === null || !REGULAR.test(version.mode)
      ? null
      : (await objects.readBlob(version.id)).toString('latin1');
  // A link or a submodule has no lines of which both could be kept.
  if (conflict.ours !== null && !REGULAR.test(conflict.ours.mode)) {
    return result?.id === conflict.ours.id ? WHOLE : dropped;
  }
  const base = await read(conflict.base);
  const [ours, theirs] = [(await read(conflict.ours)) ?? '', (await read(conflict.theirs)) ?? ''];
  const content = (await read(result)) ?? '';
  if (hasMarkers(content) && !hasMarkers(ours) && !hasMarkers(theirs)) {
    return refuse(`it left conflict markers in ${path}`);
  }
  const versions = { path, base, ours, theirs, parts: null };
  if (isSafeResult(versions, { content, reason: '' })) return WHOLE;
  const isRewritten =
    conflict.kind === 'content' &&
    isSafeResult(versions, { content, reason: '', loser: 'ours' }) &&
    isRewrite([base ?? '', ours, theirs], (await read(marked)) ?? '', content);
  return isRewritten ? { problem: null, isRewritten } : dropped;
}

/**
 * Whether all that the target lost stood in hunks in conflict, and for each such hunk there is a line that
 * no version has: what takes one side whole, or drops a hunk, brings none.
 */
function isRewrite(versions: readonly string[], marked: string, result: string): boolean {
  const [base = [], ours = [], theirs = []] = versions.map(comparableLines);
  const now = comparableLines(result);
  const lost = new Set(lostGains(base, ours, theirs, now));
  const hunks = targetHunks(marked).map((lines) => comparableLines(lines.join('')));
  const hit = hunks.filter((lines) => lines.some((line) => lost.has(line)));
  const known = new Set([...base, ...ours, ...theirs]);
  const written = now.filter((line) => !known.has(line));
  return (
    [...lost].every((line) => hit.some((lines) => lines.includes(line))) &&
    written.length >= hit.length
  );
}
