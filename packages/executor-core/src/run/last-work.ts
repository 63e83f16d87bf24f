import { SEE_EVERYTHING } from '../isolate/left-out';
import type { MergeResult } from '../merge/merge-tree';
import { mergeInMemory } from '../merge/merge-tree';
import { CURES, failureClass } from '../model/failure';
import type { ResumeMode } from '../model/task';
import type { Git } from '../ports/git';
import { GitError, wasInterrupted } from '../ports/git';
import type { AttemptStory } from '../report/attempt-story';
import type { AttemptContext } from './attempt-context';
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
  const telling = stories.filter((story) => !saysNothing(story));
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

/** Failures that say nothing about the work: what was done before them still stands. */
function saysNothing({ failure }: AttemptStory): boolean {
  const name = failureClass(failure);
  return !CURES[name].heal && name !== 'conflict';
}

/**
 * The interrupted attempt whose work the next one goes on from: the newest kept work since the last
 * failure that says something about it. `null` when none of the attempts since was interrupted, or none left work.
 */
export function interruptedAttempt(stories: readonly AttemptStory[]): AttemptStory | null {
  const telling = stories.findLastIndex((story) => !saysNothing(story));
  const since = stories.slice(telling + 1);
  if (!since.some(({ failure }) => failure.kind === 'interrupted')) return null;
  return since.findLast(({ salvage }) => salvage !== null) ?? null;
}

/**
 * The failed attempt whose candidate is in conflict with what has landed, while nobody has been done with
 * settling that: a resolver that was cut off is asked again, and one that failed is not.
 */
export function openConflictOf(stories: readonly AttemptStory[]): AttemptStory | null {
  const at = stories.findLastIndex((story) => !saysNothing(story));
  const story = stories[at];
  if (story?.failure.kind !== 'conflict' || story.salvage === null) return null;
  const asked = stories
    .slice(at + 1)
    .some(({ healing }) => healing?.role === 'resolver' && healing.outcome !== null);
  return asked ? null : story;
}

/** What the files of a fresh worktree are to be before its agent starts. */
export interface EarlierWork {
  readonly start: StartingPoint;
  /** Tree to fill it with; `null`: it stays as it is. */
  readonly tree: string | null;
}

/**
 * The work of an earlier attempt that the next one starts from (see `resumedAttempt`,
 * `interruptedAttempt`), merged onto `base` where that has moved. Where the two conflict, none; what is
 * for the resolver is not restored here.
 */
export async function chooseWork(
  { git, root, healer, resolver }: Pick<AttemptContext, 'git' | 'root' | 'healer' | 'resolver'>,
  base: string,
  stories: readonly AttemptStory[],
  resume: ResumeMode,
): Promise<EarlierWork> {
  const conflict = resolver === null ? null : openConflictOf(stories);
  if (conflict !== null && conflict.salvage !== null) {
    const { attempt, salvage: ref } = conflict;
    return { start: { kind: 'conflicted', attempt, ref }, tree: null };
  }
  const interrupted = resume === 'fresh' ? null : interruptedAttempt(stories);
  const chosen =
    interrupted === null
      ? resumedAttempt(stories, healer !== null)
      : { story: interrupted, kind: 'resumed' as const };
  const ref = chosen?.story.salvage ?? null;
  const commit = ref === null ? null : await git.objects(root).resolve(`${ref}^{commit}`);
  if (chosen === null || ref === null || commit === null) {
    return { start: { kind: 'fresh' }, tree: null };
  }
  const { kind, story } = chosen;
  const { attempt } = story;
  const merged = await mergeOnto(git, root, base, commit);
  if (merged?.kind !== 'clean') {
    const paths = merged?.paths ?? [];
    const mended = kind !== 'resumed';
    return { start: { kind: 'outdated', mended, attempt, ref, paths }, tree: null };
  }
  const start = kind === 'resumed' ? { kind, attempt, ref, commit } : { kind, attempt, ref };
  return { start, tree: merged.tree };
}

/** Work that git cannot merge at all, such as that of another history, must not stop every attempt. */
async function mergeOnto(
  git: Git,
  root: string,
  base: string,
  commit: string,
): Promise<MergeResult | null> {
  try {
    return await mergeInMemory(git, root, base, commit);
  } catch (error) {
    if (!(error instanceof GitError) || wasInterrupted(error)) throw error;
    return null;
  }
}

/** Fills a fresh worktree with what was chosen. It is staged there, HEAD stays where it is. */
export async function restoreWork(
  git: Git,
  worktree: string,
  { tree }: EarlierWork,
): Promise<void> {
  if (tree !== null) await git.text(['read-tree', '--reset', '-u', tree], { cwd: worktree });
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
  await git.text([...SEE_EVERYTHING, 'add', '--all', '--sparse'], at);
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
