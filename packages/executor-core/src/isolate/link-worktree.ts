import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';

import { GitError } from '../ports/git';
import { findAdminEntry, ownerText } from './admin-entry';
import type { AdminEntry, WorktreeOwner } from './admin-entry';
import { dropBrokenEntries } from './worktree-sweep';
import { readUnchanged } from './unchanged-text';
import { draftFolder, type WorktreeSite } from './worktree-site';

/** A foreign git that changes the list of worktrees at the same moment makes ours fail. */
const ADD_ATTEMPTS = 3;

/**
 * Makes a linked worktree without files: on the branch of an agent, which is made or moved to `commit`,
 * or detached there. Resolves with its entry in git's list.
 *
 * The entry is written aside and appears in one step, so no git ever meets a half-made one, and no lock
 * is needed (gitrepository-layout(5) tells what is in it). `git worktree add` itself writes the files one
 * by one, in several processes. It is used where worktrees have a configuration of their own, which it
 * copies.
 */
export async function linkWorktree(
  site: WorktreeSite,
  path: string,
  commit: string,
  owner: WorktreeOwner,
): Promise<AdminEntry> {
  if (await hasOwnConfig(site)) await addByGit(site, path, commit, owner);
  else await addByHand(site, path, commit, owner);
  const entry = await findAdminEntry(site, path);
  if (entry !== null) return entry;
  throw new Error(`The worktree at ${path} was removed while it was made.`);
}

async function addByHand(
  site: WorktreeSite,
  path: string,
  commit: string,
  owner: WorktreeOwner,
): Promise<void> {
  const { fs, commonDir } = site;
  if (owner.kind === 'agent') await placeBranch(site, owner.branch, commit);
  const draft = join(draftFolder(commonDir), randomUUID());
  await fs.makeDir(draft);
  const head = owner.kind === 'agent' ? `ref: refs/heads/${owner.branch}` : commit;
  await Promise.all([
    fs.create(join(draft, 'gitdir'), `${join(path, '.git')}\n`),
    fs.create(join(draft, 'commondir'), '../..\n'),
    fs.create(join(draft, 'HEAD'), `${head}\n`),
    fs.create(join(draft, 'locked'), `${ownerText(owner)}\n`),
  ]);
  const folder = await moveIn(site, draft, basename(path));
  await fs.makeDir(path);
  await fs.replace(join(path, '.git'), `gitdir: ${folder}\n`);
}

/** Like `git worktree add`, takes the first free one of `agent-1`, `agent-11`, `agent-12` … */
async function moveIn(
  { fs, commonDir }: WorktreeSite,
  draft: string,
  name: string,
): Promise<string> {
  const parent = join(commonDir, 'worktrees');
  await fs.makeDir(parent);
  for (let copy = 0; ; copy += 1) {
    const folder = join(parent, copy === 0 ? name : `${name}${copy}`);
    if (await fs.exists(folder)) continue;
    try {
      await fs.rename(draft, folder);
      return folder;
    } catch (error) {
      // Somebody took the name in this moment.
      if (!(await fs.exists(folder))) throw error;
    }
  }
}

/** Makes the branch (short name), or moves it, compare-and-swap. */
export async function placeBranch(
  { git, root }: WorktreeSite,
  branch: string,
  commit: string,
): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const objects = git.objects(root);
  const tip = await objects.resolve(ref);
  if (tip === commit) return;
  const line = tip === null ? `create ${ref} ${commit}` : `update ${ref} ${commit} ${tip}`;
  const answer = await objects.moveRefs([line]);
  if (!answer.ok) throw new GitError(['update-ref', ref], answer.result);
}

/** `extensions.worktreeConfig`, which git reads from this file only. */
async function hasOwnConfig({ fs, commonDir }: WorktreeSite): Promise<boolean> {
  return /worktreeconfig/i.test((await readUnchanged(fs, join(commonDir, 'config'))) ?? '');
}

/** Repeating is harmless: `-B` does not mind the branch of a failed attempt. */
function addByGit(
  site: WorktreeSite,
  path: string,
  commit: string,
  owner: WorktreeOwner,
): Promise<void> {
  const branch = owner.kind === 'agent' ? ['--no-track', '-B', owner.branch] : ['--detach'];
  const lock = ['--lock', '--reason', ownerText(owner)];
  const args = ['worktree', 'add', '--quiet', '--no-checkout', ...lock, ...branch];
  return site.alone(async () => {
    for (let attempt = 1; ; attempt += 1) {
      const result = await site.git.run([...args, path, commit], { cwd: site.commonDir });
      if (result.exitCode === 0) return;
      if (attempt === ADD_ATTEMPTS) throw new GitError(args, result);
      await dropBrokenEntries(site);
    }
  });
}
