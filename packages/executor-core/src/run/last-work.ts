import { mergeInMemory } from '../merge/merge-tree';
import { CURES, failureClass } from '../model/failure';
import type { Git } from '../ports/git';
import type { AttemptStory } from '../report/attempt-story';
import type { StartingPoint } from './feedback';

/**
 * The failed attempt whose work a retry starts from, and whether it was mended already; `null`: from the
 * base alone. With a healer at hand, also work that was red on the merged tree is started from.
 */
export function resumedAttempt(
  stories: readonly AttemptStory[],
  withHealer: boolean,
): { readonly story: AttemptStory; readonly kind: 'healed' | 'unmended' } | null {
  // A fault of the network in between says nothing about the work.
  const telling = stories.filter(({ failure }) => {
    const name = failureClass(failure);
    return CURES[name].heal || name === 'conflict';
  });
  const story = telling.at(-1);
  if (story === undefined || story.salvage === null) return null;
  const { failure, healing } = story;
  if (failure.kind === 'verify-failed' && failure.where === 'merged') {
    // Anything that happened since would be what the agent has to be told first.
    return withHealer && story === stories.at(-1) ? { story, kind: 'unmended' } : null;
  }
  const healed = healing?.outcome === 'fixed' && CURES[failureClass(failure)].heal;
  return healed ? { story, kind: 'healed' } : null;
}

/**
 * Fills a fresh worktree of `base` with the work of an earlier attempt (see `resumedAttempt`), merged onto
 * `base` where that has moved. The work is staged there, HEAD stays at `base`. Where the two conflict
 * the worktree stays as it is.
 */
export async function restoreWork(
  git: Git,
  worktree: string,
  base: string,
  stories: readonly AttemptStory[],
  withHealer: boolean,
): Promise<StartingPoint> {
  const resumed = resumedAttempt(stories, withHealer);
  if (resumed === null || resumed.story.salvage === null) return { kind: 'fresh' };
  const { attempt, salvage: ref } = resumed.story;
  const at = { cwd: worktree };
  const found = await git.run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], at);
  if (found.exitCode !== 0) return { kind: 'fresh' };
  const merged = await mergeInMemory(git, worktree, base, found.stdout.trim());
  if (merged.kind === 'conflict') return { kind: 'outdated', attempt, ref, paths: merged.paths };
  await git.text(['read-tree', '--reset', '-u', merged.tree], at);
  return { kind: resumed.kind, attempt, ref };
}

/** Makes the files of a worktree those of `tree` again, HEAD its base, whatever was done there. */
export async function resetWork(
  git: Git,
  { worktree, base }: { readonly worktree: string; readonly base: string },
  tree: string,
): Promise<void> {
  const at = { cwd: worktree };
  await git.text(['reset', '--quiet', '--soft', base], at);
  // Files that are in the index go when they are not in the tree; ignored ones stay.
  await git.text(['add', '--all'], at);
  await git.text(['read-tree', '--reset', '-u', tree], at);
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
