import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';

import limitConcurrency from 'p-limit';

import { GitError } from '../ports/git';
import { type AdminEntry, markReady } from './admin-entry';
import { conePatterns, sparseFile } from './sparse-cone';
import { releaseWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';
import type { WorktreeWay } from './worktree-way';

/** More writers than cores only compete for the disk. */
export const populating = limitConcurrency(availableParallelism());

/** Given to git by the call: the configuration of the repository is the user's, and of all its worktrees. */
const CONE = ['core.sparseCheckout=true', 'core.sparseCheckoutCone=true', 'index.sparse=true'];

const FULL: WorktreeWay = { kind: 'full' };

/**
 * Writes the files of a fresh worktree, unless they are `there`, and marks it as ready (see `markReady`).
 * A tree that cannot be completed is taken away again.
 */
export async function populate(
  site: WorktreeSite,
  path: string,
  commit: string,
  entry: AdminEntry,
  { there = false, way = FULL }: { readonly there?: boolean; readonly way?: WorktreeWay } = {},
): Promise<string | null> {
  if (way.kind === 'sparse') await writeCone(site, path, commit, entry, way.cone);
  else if (!there) await writeFiles(site, path, commit);
  return markReady(site.fs, entry, commit, way.kind);
}

/**
 * Writes the files of a cone. Those outside are in the index, marked as left out on purpose (`skip-worktree`),
 * whole folders of them as one line.
 */
async function writeCone(
  site: WorktreeSite,
  path: string,
  commit: string,
  entry: AdminEntry,
  cone: readonly string[],
): Promise<void> {
  const file = sparseFile(entry.folder);
  await site.fs.makeDir(dirname(file));
  await site.fs.replace(file, conePatterns(cone));
  await writeFiles(site, path, commit, CONE);
}

/** `config`: settings of this call of git. */
export async function writeFiles(
  site: WorktreeSite,
  path: string,
  commit: string,
  config: readonly string[] = [],
): Promise<void> {
  const settings = config.flatMap((setting) => ['-c', setting]);
  const args = [...settings, 'read-tree', '--reset', '-u', commit];
  const result = await populating(() => site.git.run(args, { cwd: path }));
  if (result.exitCode === 0) return;
  await releaseWorktree(site, path, [commit]);
  throw new GitError(args, result);
}
