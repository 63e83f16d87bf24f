import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';

export interface LinkedWorktree {
  /** Absolute path of its top folder. */
  readonly path: string;
  /** Full name of the checked out branch, or `null` (detached, bare). */
  readonly branch: string | null;
  /** Its folder is gone. */
  readonly missing: boolean;
  readonly bare: boolean;
}

/** Who uses a branch, so that moving it needs care. */
export type BranchUse =
  | { readonly kind: 'free' }
  | { readonly kind: 'checked-out'; readonly worktree: LinkedWorktree }
  /** A rebase of the branch is under way in this worktree; it sets the branch when it ends. */
  | { readonly kind: 'rebasing'; readonly worktree: LinkedWorktree };

/** Files of a rebase in progress; they hold the full name of the branch. */
const REBASE_HEADS = ['rebase-merge/head-name', 'rebase-apply/head-name'];

/**
 * Whether a working tree has `branch` (a full name) checked out or in work. Throws `GitError` when the
 * list cannot be had: git reads every worktree's files, so call this under the worktree mutex.
 */
export async function branchUse(
  git: Git,
  fs: FileSystem,
  root: string,
  branch: string,
): Promise<BranchUse> {
  const worktrees = await listWorktrees(git, root);
  const holder = worktrees.find((worktree) => worktree.branch === branch);
  if (holder !== undefined) return { kind: 'checked-out', worktree: holder };
  const detached = worktrees.filter(
    ({ branch: name, bare, missing }) => name === null && !bare && !missing,
  );
  for (const worktree of detached) {
    if (await isRebasing(git, fs, worktree.path, branch)) return { kind: 'rebasing', worktree };
  }
  return { kind: 'free' };
}

async function listWorktrees(git: Git, root: string): Promise<readonly LinkedWorktree[]> {
  return parseWorktreeList(
    await git.text(['worktree', 'list', '--porcelain', '-z'], { cwd: root }),
  );
}

/** Reads `git worktree list --porcelain -z`: one record per worktree, its lines and itself NUL-ended. */
export function parseWorktreeList(stdout: string): readonly LinkedWorktree[] {
  const records = stdout.split('\0\0').map((record) => record.split('\0'));
  return records.flatMap((lines) => {
    const value = (key: string): string | null =>
      lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? null;
    const path = value('worktree');
    if (path === null) return [];
    const missing = lines.some((line) => line === 'prunable' || line.startsWith('prunable '));
    return [{ path, branch: value('branch'), missing, bare: lines.includes('bare') }];
  });
}

async function isRebasing(git: Git, fs: FileSystem, cwd: string, branch: string): Promise<boolean> {
  const gitDir = await git.run(['rev-parse', '--absolute-git-dir'], { cwd });
  if (gitDir.exitCode !== 0) return false;
  for (const name of REBASE_HEADS) {
    const head = await fs.readText(join(gitDir.stdout.trim(), name));
    if (head?.trim() === branch) return true;
  }
  return false;
}
