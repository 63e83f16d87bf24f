import { join } from 'node:path';

import { type AdminEntry, findAdminEntry } from './admin-entry';
import { SEE_EVERYTHING } from './left-out';
import type { WorktreeSite } from './worktree-site';

/** Without it git reads every folder outside the cone, to look at an index it was told not to shorten. */
const SHORT_INDEX = ['-c', 'core.sparseCheckoutCone=true', '-c', 'index.sparse=true'];

/**
 * The commit a worktree still is at, when nobody did anything in it: on its branch, with the index it was made
 * with and the files of that commit, nothing new but what git ignores, and every file readable. `null` when it
 * is not, and whenever that cannot be told by one look of git (for an overlay: by a look into the folder of what
 * was written in it).
 */
export async function untouchedCommit(
  site: Pick<WorktreeSite, 'git' | 'fs' | 'files' | 'commonDir'>,
  path: string,
): Promise<string | null> {
  const entry = await findAdminEntry(site, path);
  if (entry?.freshIndex == null || entry.branch === null || entry.broken) return null;
  const { fs, files, git, commonDir } = site;
  // A branch can be moved without its index.
  const head = await git.objects(commonDir).resolve(`${entry.branch}^{commit}`);
  if (head === null || head !== entry.base) return null;
  if ((await fs.stamp(join(entry.folder, 'index'))) !== entry.freshIndex) return null;
  if ((await files.kind(join(path, '.git'))) !== 'file') return null;
  const untouched = (await nothingWritten(site, entry)) || (await isClean(site, path, entry));
  return untouched ? head : null;
}

/** Everything that is written, renamed or deleted in an overlay leaves a name there; `.git` is ours. */
async function nothingWritten(
  { fs }: Pick<WorktreeSite, 'fs'>,
  { overlay }: AdminEntry,
): Promise<boolean> {
  if (overlay === null) return false;
  const names = await fs.list(join(overlay.changes, 'files'));
  return names.length === 1 && names[0] === '.git';
}

async function isClean(
  { git, files, commonDir }: Pick<WorktreeSite, 'git' | 'files' | 'commonDir'>,
  path: string,
  entry: AdminEntry,
): Promise<boolean> {
  const options = ['--porcelain', '-z', '--no-renames', '--untracked-files=all'];
  const sparse = entry.way === 'sparse' ? [...SEE_EVERYTHING, ...SHORT_INDEX] : [];
  // Submodules are not looked into: a git in them would obey a configuration that the agent wrote.
  const args = [...sparse, 'status', ...options, '--ignore-submodules=all'];
  const env = { GIT_DIR: entry.folder, GIT_WORK_TREE: path };
  const { exitCode, stdout, stderr } = await git.run(args, { cwd: path, env });
  // What it could not read, it says there.
  if (exitCode !== 0 || stdout !== '' || stderr !== '') return false;
  const objects = git.objects(commonDir);
  const inner = await objects.gitlinks((await objects.readCommit(entry.base ?? '')).tree);
  const used = inner.map((name) => files.kind(join(path, name, '.git')));
  return (await Promise.all(used)).every((kind) => kind === null);
}
