import type { Candidate } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import type { Identity } from './commit';
import { createCommitter } from './commit';
import { keepCommit, keptCommits, readRef } from './land';
import { isAncestor } from './landed';
import { snapshotWorktree } from './snapshot-worktree';

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
 * folder cut off from the repository, commits left on a branch that is no longer checked out.
 */
export async function makeCandidate(request: MakeCandidateRequest): Promise<CandidateResult> {
  const { git, fs, worktree, base, branch } = request;
  if (!(await isOwnWorktree(request))) {
    return refuse('the worktree is no longer a checkout of this repository');
  }
  const head = await readRef(git, worktree, 'HEAD');
  const tip = branch === undefined ? null : await readRef(git, worktree, branch);
  const start = head ?? base;
  if (tip !== null && !(await isAncestor(git, worktree, tip, start))) {
    return refuse(`the worktree's HEAD lacks commits of ${branch ?? ''}; check it out again`);
  }
  const snapshot = await snapshotWorktree({ git, fs, cwd: worktree }, start, request.exclude);
  return snapshot.ok ? commitCandidate(request, base, snapshot.tree) : refuse(snapshot.problem);
}

/** Commits `tree` on `base`, checks what it holds, and keeps it under its ref. */
export async function commitCandidate(
  request: CandidateLabel & { readonly git: Git; readonly root: string },
  base: string,
  tree: string,
): Promise<CandidateResult> {
  const { git, root } = request;
  const changes = await listChanges(git, root, base, tree);
  const linked = changes.filter(({ mode }) => mode === GITLINK).map(({ path }) => path);
  if (linked.length > 0) {
    return refuse(
      `it holds a nested repository or a changed submodule at ${linked.slice(0, 3).join(', ')}: its content would be lost`,
    );
  }
  const paths = changes.map(({ path }) => path);
  const noop = paths.length === 0;
  const kept = noop ? await keep(request, base) : await keepTree(request, base, tree);
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

type Keeper = CandidateLabel & { readonly git: Git; readonly root: string };
type Kept = Pick<Candidate, 'commit' | 'ref'>;

async function keepTree(request: Keeper, base: string, tree: string): Promise<Kept> {
  const { git, root, message, author } = request;
  const before = await keptCommits(git, root, request);
  const same = before.find((kept) => kept.tree === tree && kept.parents === base);
  if (same !== undefined) return { commit: same.commit, ref: same.ref };
  const committer = createCommitter(git, root);
  const commit = await committer.commit({
    tree,
    parents: [base],
    message,
    ...(author === undefined ? {} : { author }),
  });
  return keep(request, commit);
}

async function keep({ git, root, run, task, fence }: Keeper, commit: string): Promise<Kept> {
  return { commit, ref: await keepCommit(git, root, { run, task, fence, commit }) };
}

/** `mode` is the new one, zeros for a deleted path. */
async function listChanges(
  git: Git,
  root: string,
  base: string,
  tree: string,
): Promise<readonly { readonly mode: string; readonly path: string }[]> {
  const args = ['diff-tree', '-r', '--no-renames', '--raw', '-z', base, tree];
  const fields = (await git.text(args, { cwd: root })).split('\0');
  const changes: { readonly mode: string; readonly path: string }[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    changes.push({ mode: (fields[at] ?? '').split(' ')[1] ?? '', path: fields[at + 1] ?? '' });
  }
  return changes;
}

/**
 * Without its `.git` file a folder inside the user's checkout would pass for a part of that checkout,
 * and the user's own work for the agent's.
 */
async function isOwnWorktree({ git, root, worktree }: MakeCandidateRequest): Promise<boolean> {
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir', '--show-prefix'];
  const there = await git.run(args, { cwd: worktree });
  const [common, prefix] = there.stdout.split('\n');
  const here = await git.text(args.slice(0, 3), { cwd: root });
  return there.exitCode === 0 && common === here && prefix === '';
}

function refuse(message: string): { readonly failure: Failure } {
  return { failure: { kind: 'agent-error', message } };
}
