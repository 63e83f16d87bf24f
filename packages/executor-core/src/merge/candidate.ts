import { join } from 'node:path';
import type { Identity } from '../model/identity';
import type { Candidate } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import { createCommitter, prepareCommits } from './commit';
import type { Kept } from './land';
import { keepUnless, readRef } from './land';
import { isAncestor } from './landed';
import type { LinkedPlace } from './linked-worktree';
import { commonDir, linkedPlace } from './linked-worktree';
import { outwardLinks } from './outward-links';
import { snapshotWorktree } from './snapshot-worktree';
import { changedPaths } from './trees';

/** `Candidate.files` names this many paths at most. */
const LISTED_FILES = 20;
const GITLINK = '160000';

/** What a candidate is called and how it is committed. */
export interface CandidateLabel {
  readonly run: RunId;
  readonly task: TaskId;
  /** Fencing token of the lease it is made under. */
  readonly fence: number;
  /** Whole commit message, see `commitMessage`. */
  readonly message: string;
  /** Author of the commit; default: the user. */
  readonly author?: Identity;
}

export interface MakeCandidateRequest extends CandidateLabel {
  readonly git: Git;
  readonly fs: FileSystem;
  /** A checkout no agent writes to: commits and refs are made from here. */
  readonly root: string;
  /** The agent's worktree. The agent has ended. */
  readonly worktree: string;
  /** Commit the attempt started from. */
  readonly base: string;
  /** Full name of the branch the agent was given: commits it left there must not be lost. */
  readonly branch?: string;
  /** Repository paths that set-up put into the worktree: never part of the candidate. */
  readonly exclude?: readonly string[];
  /** `FileSystem.stamp` of the worktree's index before the agent started: it had the files of `base`. */
  readonly freshIndex?: string | null;
}

/** `paths`: every path the candidate changes against its base; the observed writes. */
export type CandidateResult =
  | { readonly candidate: Candidate; readonly paths: readonly string[] }
  | { readonly failure: Failure };

/**
 * Turns everything an agent did (its commits and whatever it left in the worktree, staged or not, new
 * files included unless ignored) into one commit on `base`, kept under a ref. The worktree and its
 * index stay as they are. Done again with the same content it gives the same commit. Fails with
 * `agent-error` when the work cannot be carried by one commit: a nested repository, a submodule, a
 * folder cut off from the repository, a link out of it, commits left on a branch that is no longer checked out.
 */
export async function makeCandidate(request: MakeCandidateRequest): Promise<CandidateResult> {
  const { git, fs, root, worktree, base, branch, exclude, freshIndex } = request;
  const place = await linkedPlace(git, fs, root, worktree);
  if (place === null) return refuse('the worktree is no longer a checkout of this repository');
  const head = await readRef(git, root, place.head);
  const tip = branch === undefined ? null : await readRef(git, root, branch);
  const start = head ?? base;
  if (tip !== null && tip !== start && !(await isAncestor(git, root, tip, start))) {
    return refuse(`the worktree's HEAD lacks commits of ${branch ?? ''}; check it out again`);
  }
  const fresh = start === base && freshIndex != null && (await isUntouched(fs, place, freshIndex));
  const snapshot = await snapshotWorktree(
    { git, fs, root, cwd: worktree, gitDir: place.gitDir },
    { head: start, exclude, fresh },
  );
  return snapshot.ok ? commitCandidate(request, base, snapshot.tree) : refuse(snapshot.problem);
}

/** Has ready what the first candidate would wait for. Never rejects: who makes a candidate is told what is wrong. */
export async function prepareCandidates(git: Git, root: string): Promise<void> {
  git.objects(root).prepare('writeCommit', 'patch');
  await Promise.allSettled([commonDir(git, root), prepareCommits(git, root)]);
}

async function isUntouched(fs: FileSystem, { gitDir }: LinkedPlace, was: string): Promise<boolean> {
  return (await fs.stamp(join(gitDir, 'index'))) === was;
}

/** Commits `tree` on `base`, checks what it holds, and keeps it under its ref. */
export async function commitCandidate(
  request: CandidateLabel & { readonly git: Git; readonly root: string },
  base: string,
  tree: string,
): Promise<CandidateResult> {
  const { git, root } = request;
  const objects = git.objects(root);
  const changes = await changedPaths(objects, (await objects.readCommit(base)).tree, tree);
  const linked = changes.filter(({ mode }) => mode === GITLINK).map(({ path }) => path);
  if (linked.length > 0) {
    return refuse(
      `it holds a nested repository or a changed submodule at ${linked.slice(0, 3).join(', ')}: its content would be lost`,
    );
  }
  const outward = await outwardLinks(git, root, tree, changes);
  if (outward.length > 0) {
    return refuse(
      `it adds a symbolic link that leads out of the repository: ${outward.slice(0, 3).join(', ')}`,
    );
  }
  const paths = changes.map(({ path }) => path);
  const noop = paths.length === 0;
  const kept = await keep(request, base, tree, noop);
  const candidate: Candidate = {
    ...kept,
    tree,
    base,
    fence: request.fence,
    noop,
    files: paths.slice(0, LISTED_FILES),
    fileCount: paths.length,
  };
  return { candidate, paths };
}

/** A commit kept before with the same content on the same base is that commit. */
function keep(
  request: CandidateLabel & { readonly git: Git; readonly root: string },
  base: string,
  tree: string,
  noop: boolean,
): Promise<Kept> {
  const { git, root, message, author } = request;
  const serves = async (held: string): Promise<boolean> => {
    if (noop || held === base) return noop && held === base;
    const commit = await git.objects(root).readCommit(held);
    return commit.tree === tree && commit.parents.join(' ') === base;
  };
  const make = (): Promise<string> =>
    noop
      ? Promise.resolve(base)
      : createCommitter(git, root).commit({
          tree,
          parents: [base],
          message,
          ...(author === undefined ? {} : { author }),
        });
  return keepUnless(git, root, request, serves, make);
}

function refuse(message: string): { readonly failure: Failure } {
  return { failure: { kind: 'agent-error', message } };
}
