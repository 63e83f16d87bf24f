import { randomUUID } from 'node:crypto';
import { join, resolve, sep } from 'node:path';

import limitConcurrency from 'p-limit';

import type { RunId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';
import type { Git } from '../ports/git';
import type { Mounts } from '../ports/mounts';
import type { Mutex } from '../ports/mutex';

export interface WorktreeSiteOptions {
  readonly git: Git;
  readonly fs: FileSystem;
  readonly files: FileTree;
  readonly mutex: Mutex;
  /** Without it there are no overlays. */
  readonly mounts?: Mounts;
  /** Top level of the main checkout, links resolved. */
  readonly root: string;
  /** The git folder all worktrees share, links resolved. */
  readonly commonDir: string;
  /** Folder of our worktrees: absolute, or relative to the root. */
  readonly base: string;
  readonly runId: RunId;
}

/** Where the worktrees of a run lie, and the tools to handle them. */
export interface WorktreeSite extends WorktreeSiteOptions {
  /** Absolute, links resolved: as git writes it into its own files. */
  readonly base: string;
  /**
   * Runs `body` while no other process and no other call in this one changes git's list of worktrees.
   * git does not guard that list: a `worktree add` fails when it meets a sibling half-made, and so do
   * `list`, `fetch` and `branch`. Never write a tree's files in here.
   */
  alone<T>(body: () => Promise<T>): Promise<T>;
  /** A name in a trash folder that nothing has: `tree` on the worktrees' disk, `admin` on git's. */
  trash(what: 'tree' | 'admin'): Promise<string>;
}

/** With 40 adds of some 30 ms in other processes before ours on a slow disk. */
const GIT_LOCK_TIMEOUT_MS = 120_000;

/** Folder of the site's own things in git's common folder: the mutex and the trash. */
export function stateFolder(commonDir: string): string {
  return join(commonDir, 'parallel');
}

/** Folder of entries that are being written, before they appear in git's list. */
export function draftFolder(commonDir: string): string {
  return join(stateFolder(commonDir), 'new');
}

/** Folder of worktrees that could not be saved in full. */
export function keptFolder(base: string): string {
  return join(base, '.kept');
}

/** Folder of removed entries that wait to be deleted. */
export function adminTrashFolder(commonDir: string): string {
  return join(stateFolder(commonDir), 'trash');
}

/** Folder of removed trees that wait to be deleted. */
export function trashFolder(base: string): string {
  return join(base, '.trash');
}

/**
 * Prepares the folder of the worktrees: private to the user, and ignoring itself, so that `git status`
 * in the main checkout does not see it. Throws `UserError` when a symbolic link inside the repository
 * leads it elsewhere.
 */
export async function openWorktreeSite(options: WorktreeSiteOptions): Promise<WorktreeSite> {
  const { fs, mutex, commonDir } = options;
  const base = await prepareBase(options);
  await fs.makeDir(stateFolder(commonDir));
  const oneAtATime = limitConcurrency(1);
  const lock = join(stateFolder(commonDir), 'git');
  return {
    ...options,
    base,
    // The queue in this process comes first, so that 25 calls do not poll one lockfile.
    alone: (body) => oneAtATime(() => mutex.with(lock, body, GIT_LOCK_TIMEOUT_MS)),
    async trash(what) {
      const folder = what === 'tree' ? trashFolder(base) : adminTrashFolder(commonDir);
      await fs.makeDir(folder);
      return join(folder, randomUUID());
    },
  };
}

async function prepareBase(options: WorktreeSiteOptions): Promise<string> {
  const { fs, files, root } = options;
  const wanted = resolve(root, options.base);
  await fs.makeDir(wanted);
  const base = (await files.realPath(wanted)) ?? wanted;
  if (isBelow(wanted, root) && base !== wanted) {
    throw new UserError(
      'environment',
      `The folder for worktrees, ${wanted}, is reached through a symbolic link and really is ${base}.`,
      'Set worktree_base to the folder you mean.',
    );
  }
  await fs.createExclusive(join(base, '.gitignore'), '*\n');
  return base;
}

/** `true` when `path` lies below `folder`; both absolute and normalised. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
