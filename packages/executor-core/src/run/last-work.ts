import { mergeInMemory } from '../merge/merge-tree';
import { CURES, failureClass } from '../model/failure';
import type { Git } from '../ports/git';
import { GitError } from '../ports/git';
import type { AttemptStory } from '../report/attempt-story';
import type { StartingPoint } from './feedback';

/** The failed attempt whose healed work a retry starts from; `null`: from the base alone. */
export function healedAttempt(stories: readonly AttemptStory[]): AttemptStory | null {
  // A fault of the network in between says nothing about the work.
  const telling = stories.filter(({ failure }) => {
    const name = failureClass(failure);
    return CURES[name].heal || name === 'conflict';
  });
  const last = telling.at(-1);
  const healed =
    last?.healing?.outcome === 'fixed' &&
    last.salvage !== null &&
    CURES[failureClass(last.failure)].heal;
  return healed ? last : null;
}

/**
 * Fills a fresh worktree of `base` with the healed work of an earlier attempt, merged onto `base` where
 * that has moved. The work is staged there, HEAD stays at `base`. Where the two conflict the worktree
 * stays as it is.
 */
export async function restoreHealed(
  git: Git,
  worktree: string,
  base: string,
  stories: readonly AttemptStory[],
): Promise<StartingPoint> {
  const healed = healedAttempt(stories);
  if (healed === null || healed.salvage === null) return { kind: 'fresh' };
  const { attempt, salvage: ref } = healed;
  const at = { cwd: worktree };
  const found = await git.run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], at);
  if (found.exitCode !== 0) return { kind: 'fresh' };
  const merged = await mergeInMemory(git, worktree, base, found.stdout.trim());
  if (merged.kind === 'conflict') return { kind: 'outdated', attempt, ref, paths: merged.paths };
  const args = ['read-tree', '--reset', '-u', merged.tree];
  const filled = await git.run(args, at);
  if (filled.exitCode !== 0) throw new GitError(args, filled);
  return { kind: 'healed', attempt, ref };
}

/** Repository paths that differ between two commits; empty when one of them is gone. */
export async function changedPaths(
  git: Git,
  root: string,
  story: Pick<AttemptStory, 'base' | 'salvage'>,
): Promise<readonly string[]> {
  const { base, salvage } = story;
  if (base === null || salvage === null) return [];
  const args = ['diff-tree', '-r', '--no-renames', '--name-only', '-z', base, salvage];
  const { exitCode, stdout } = await git.run(args, { cwd: root });
  return exitCode === 0 ? stdout.split('\0').filter((path) => path !== '') : [];
}
