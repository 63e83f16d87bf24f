import type { Git, GitObjects } from '../ports/git';
import { hasMarkers } from './ladder/merge-parts';
import type { FileVersion, PathConflict } from './ladder/path-conflict';
import { pathConflicts } from './ladder/path-conflict';
import { versionAt } from './ladder/replace-files';
import { isSafeResult } from './ladder/safe-result';
import type { ConflictState } from './merge-tree';
import { changedPaths } from './trees';

const REGULAR = /^100/;
const NAMED = 3;

/**
 * Why a tree may not land as what an agent made of a conflict, in a few words; `null` when it may. Only
 * paths in conflict may differ from the merge, none of them with a conflict marker that neither side had,
 * and everything the target gained since the base must be in them.
 */
export async function resolutionProblem(
  { git, root }: { readonly git: Git; readonly root: string },
  state: ConflictState,
  tree: string,
): Promise<string | null> {
  const objects = git.objects(root);
  const allowed = new Set(state.paths);
  const changed = (await changedPaths(objects, state.tree, tree)).map(({ path }) => path);
  const strayed = changed.filter((path) => !allowed.has(path));
  if (strayed.length > 0) {
    return `it changed files that are not in conflict: ${strayed.slice(0, NAMED).join(', ')}`;
  }
  for (const conflict of pathConflicts(state)) {
    const result = await versionAt(objects, tree, conflict.path);
    const problem = await pathProblem(objects, conflict, result);
    if (problem !== null) return problem;
  }
  return null;
}

async function pathProblem(
  objects: GitObjects,
  conflict: PathConflict,
  result: FileVersion | null,
): Promise<string | null> {
  const { path } = conflict;
  const dropped = `it dropped what the target gained in ${path}`;
  const read = async (version: FileVersion | null): Promise<string | null> =>
    version === null || !REGULAR.test(version.mode)
      ? null
      : (await objects.readBlob(version.id)).toString('latin1');
  // A link or a submodule has no lines of which both could be kept.
  if (conflict.ours !== null && !REGULAR.test(conflict.ours.mode)) {
    return result?.id === conflict.ours.id ? null : dropped;
  }
  const [base, ours, theirs] = [
    await read(conflict.base),
    (await read(conflict.ours)) ?? '',
    (await read(conflict.theirs)) ?? '',
  ];
  const content = (await read(result)) ?? '';
  if (hasMarkers(content) && !hasMarkers(ours) && !hasMarkers(theirs)) {
    return `it left conflict markers in ${path}`;
  }
  const versions = { path, base, ours, theirs, parts: null };
  return isSafeResult(versions, { content, reason: '' }) ? null : dropped;
}
