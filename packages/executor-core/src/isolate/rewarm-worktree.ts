import { join } from 'node:path';

import { type AdminEntry, findAdminEntry, isOurs, type WorktreeOwner } from './admin-entry';
import { linkWorktree } from './link-worktree';
import { dropEntry, type WarmWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';

/**
 * Makes a worktree of an attempt that died one for the next attempt of its task, with exactly the files of
 * `commit` and nothing else, ignored files included: its folder with an entry, a branch and an index of
 * their own, so that nothing an agent did to the old ones counts. Only files that differ are written, which
 * is much quicker than making it. Resolves with the new entry; `null` when the folder has to be released.
 */
export async function rewarmWorktree(
  site: WorktreeSite,
  warm: WarmWorktree,
  commit: string,
  owner: Extract<WorktreeOwner, { readonly kind: 'agent' }>,
): Promise<AdminEntry | null> {
  const { git, fs } = site;
  const { path, index } = warm;
  const old = await findAdminEntry(site, path);
  if (old === null || !isOurs(site, old)) return null;
  await dropEntry(site, old, [commit]);
  const entry = await linkWorktree(site, path, commit, owner);
  await fs.rename(index, join(entry.folder, 'index'));
  // Named explicitly: without its `.git` file, git would clean the main checkout around it.
  const at = { cwd: path, env: { GIT_DIR: entry.folder, GIT_WORK_TREE: path } };
  for (const args of [
    ['read-tree', '--reset', '-u', commit],
    ['clean', '-ffdxq'],
  ]) {
    if ((await git.run(args, at)).exitCode !== 0) return null;
  }
  return entry;
}
