import type { RunId } from '../model/ids';
import type { CommitSettings } from '../model/task';
import type { Git } from '../ports/git';
import { createCommitter } from './commit';
import type { RefGuard } from './land';
import { advanceIntegration, readRef } from './land';
import { isAncestor } from './landed';
import {
  CANDIDATE_TRAILER,
  parseTrailers,
  RUN_TRAILER,
  SQUASH_TRAILER,
  squashMessage,
  squashRecord,
} from './trailers';
import { treeOf } from './stack';

export interface SquashRequest {
  readonly git: Git;
  readonly root: string;
  readonly run: RunId;
  /** Full name of the integration branch; it exists. */
  readonly ref: string;
  /** Commit the target points at. */
  readonly target: string;
  readonly commit: CommitSettings;
  /** Who may land. */
  readonly fence?: RefGuard;
}

export type SquashResult =
  /** What to publish; it is `target` itself where the target has everything. */
  | { readonly kind: 'squashed'; readonly commit: string }
  /** The target has commits the integration branch lacks: absorb them, then squash again. */
  | { readonly kind: 'diverged'; readonly tip: string }
  /** The integration branch moved meanwhile; try again. */
  | { readonly kind: 'stale' };

/**
 * Makes the one commit by which the target gets what has landed since its last one: the tree of the
 * integration tip on top of the target. It is recorded on the integration branch first, by a commit
 * with the same tree and the squashed one as its second parent. So the target stays in the history of
 * the integration branch, as without squashing; a run that is continued publishes what it recorded, and
 * nothing twice; and what is committed on the target later is absorbed from there. Rejects with
 * `TakenOver` when the fence was moved.
 */
export async function squashOnto(request: SquashRequest): Promise<SquashResult> {
  const { git, root, run, ref, target, commit: settings, fence: guard } = request;
  const from = await readRef(git, root, ref);
  if (from === null) throw new Error(`${ref} does not exist.`);
  const recorded = (await messages(git, root, ['-1', from])).map(squashOf)[0];
  if (recorded !== undefined && (await fits(request, recorded))) {
    const done = await isAncestor(git, root, recorded, target);
    return { kind: 'squashed', commit: done ? target : recorded };
  }
  if (!(await isAncestor(git, root, target, from))) return { kind: 'diverged', tip: target };
  const tree = await treeOf(git, root, from);
  if (tree === (await treeOf(git, root, target))) return { kind: 'squashed', commit: target };
  const message = squashMessage(run, from, await unpublished(request, from));
  const squashed = await createCommitter(git, root, settings).commit({
    tree,
    parents: [target],
    message,
  });
  const record = await createCommitter(git, root).commit({
    tree,
    parents: [from, squashed],
    message: squashRecord(run, squashed),
  });
  const moved = await advanceIntegration({ git, root, ref, from, to: record, guard });
  return moved === 'moved' ? { kind: 'squashed', commit: squashed } : { kind: 'stale' };
}

/** Where the run began: the newest commit on the first-parent chain of `tip` that is not of the run. */
export async function startOfRun(
  git: Git,
  root: string,
  run: RunId,
  tip: string,
): Promise<string | null> {
  const chain = await messages(git, root, [tip]);
  return chain.find(({ text }) => parseTrailers(text).get(RUN_TRAILER) !== run)?.id ?? null;
}

/** `true` when the target is where this squashed commit was made for, or has it. */
async function fits({ git, root, target }: SquashRequest, squashed: string): Promise<boolean> {
  const { parents } = await git.objects(root).readCommit(squashed);
  return parents[0] === target || isAncestor(git, root, squashed, target);
}

/** Messages of the tasks' commits that the target does not have in any form, oldest first. */
async function unpublished(
  { git, root, target }: SquashRequest,
  from: string,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const message of await messages(git, root, [from, `^${target}`])) {
    const squashed = squashOf(message);
    if (squashed !== undefined && (await isAncestor(git, root, squashed, target))) break;
    if (parseTrailers(message.text).has(CANDIDATE_TRAILER)) found.unshift(message.text);
  }
  return found;
}

interface Message {
  readonly id: string;
  readonly text: string;
}

function squashOf({ text }: Message): string | undefined {
  return parseTrailers(text).get(SQUASH_TRAILER);
}

/** Commits of the first-parent chain, newest first. */
async function messages(
  git: Git,
  root: string,
  range: readonly string[],
): Promise<readonly Message[]> {
  const format = ['-z', '--format=%H%n%B', '--encoding=UTF-8', '--no-show-signature', '--no-color'];
  const args = ['log', '--first-parent', ...format, ...range, '--'];
  const records = (await git.text(args, { cwd: root })).split('\0').filter(Boolean);
  return records.map((record) => {
    const end = record.indexOf('\n');
    return { id: record.slice(0, end), text: record.slice(end + 1) };
  });
}
