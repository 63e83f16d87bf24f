import type { RunId } from '../model/ids';
import type { Git } from '../ports/git';
import type { LinkedWorktree } from './checked-out';
import { branchUse } from './checked-out';
import { holdCheckout, moverMark } from './checkout-hold';
import { isFenceUp } from './fence';
import type { RefGuard } from './land';
import { advanceIntegration, readRef, TakenOver } from './land';
import { isAncestor } from './landed';
import type { MendRequest } from './mend-checkout';
import { mendCheckout } from './mend-checkout';

export interface PublishRequest extends MendRequest {
  readonly run: RunId;
  /** Full name of the branch the run started on; `null`: it started on a detached HEAD. */
  readonly target: string | null;
  /** Tip of the integration branch. */
  readonly commit: string;
  /** Who may land. */
  readonly fence?: RefGuard;
}

export type PublishResult =
  /** The target points at `commit`, or at something that contains it. */
  | { readonly kind: 'advanced'; readonly commit: string }
  /** Nothing was changed; `reason` and `fix` are for people. */
  | { readonly kind: 'held'; readonly reason: string; readonly fix: string }
  /** The target has commits the integration branch lacks: absorb them, then publish again. */
  | { readonly kind: 'diverged'; readonly tip: string };

/** Where git notes what HEAD was before it was moved. */
const ORIG_HEAD = 'ORIG_HEAD';
/** How often a git that is killed while it moves the checkout is started. */
const KILLED_TRIES = 3;
/** Files named in the reason of a held target. */
const NAMED_FILES = 10;
/** Nobody's settings turn a fast-forward into something that touches uncommitted work. */
const FAST_FORWARD = [
  ...['-c', 'submodule.recurse=false', 'merge', '--ff-only', '--no-autostash'],
  ...['--no-verify-signatures', '--no-stat', '--no-progress', '--quiet'],
];

/**
 * Brings the branch the run started on up to the integration tip, by fast-forward only. A branch that
 * is checked out moves together with its working tree; where that would overwrite uncommitted or
 * untracked files it is held, and the user's files, index and stash stay as they are byte for byte.
 * What a kill left of an earlier move is put right first. Done again after success it changes nothing.
 * Call it under the worktree mutex. Rejects with `TakenOver`
 * when the fence was moved; a working tree that is moved in that very moment gets what had landed before.
 */
export async function publishTarget(
  request: PublishRequest,
  tries = KILLED_TRIES,
): Promise<PublishResult> {
  const { git, fs, root, target, commit, fence } = request;
  if (fence !== undefined && !(await isFenceUp(git, root, fence))) throw new TakenOver();
  if (target === null) {
    return held(
      'the run started on a detached HEAD, so there is no branch to move',
      `git merge ${commit}`,
    );
  }
  await mendCheckout(request);
  const tip = await readRef(git, root, target);
  if (tip === commit) return { kind: 'advanced', commit };
  if (tip !== null && (await isAncestor(git, root, commit, tip))) {
    return { kind: 'advanced', commit: tip };
  }
  if (tip !== null && !(await isAncestor(git, root, tip, commit))) return { kind: 'diverged', tip };
  const use = await branchUse(git, fs, root, target);
  switch (use.kind) {
    case 'checked-out':
      return moveCheckedOut(request, { target, from: tip ?? commit, tries }, use.worktree);
    case 'rebasing':
      return held(
        `${target} is being rebased in ${use.worktree.path}`,
        'Finish or abort the rebase, then resume the run.',
      );
    case 'free':
      return moveFree(request, target, tip);
  }
}

async function moveFree(
  request: PublishRequest,
  target: string,
  tip: string | null,
): Promise<PublishResult> {
  const { git, root, commit, fence: guard } = request;
  // A deleted branch stays deleted: that was somebody's decision.
  if (tip === null)
    return held(`${target} does not exist any more`, `git branch ${shortName(target)} ${commit}`);
  const move = { git, root, ref: target, from: tip, to: commit, guard };
  if ((await advanceIntegration(move)) === 'moved') return { kind: 'advanced', commit };
  const now = await readRef(git, root, target);
  return now === null
    ? held(`${target} was deleted meanwhile`, `git branch ${shortName(target)} ${commit}`)
    : { kind: 'diverged', tip: now };
}

async function moveCheckedOut(
  request: PublishRequest,
  {
    target,
    from,
    tries,
  }: { readonly target: string; readonly from: string; readonly tries: number },
  worktree: LinkedWorktree,
): Promise<PublishResult> {
  const { git, run, commit } = request;
  if (worktree.missing) {
    return held(
      `${target} is checked out in ${worktree.path}, which is gone`,
      'git worktree prune, then resume the run.',
    );
  }
  const [gitDir, remembered] = await Promise.all([
    git.text(['rev-parse', '--absolute-git-dir'], { cwd: worktree.path }),
    ownRef(git, worktree.path, ORIG_HEAD),
  ]);
  const move = { run, worktree: worktree.path, gitDir, target, from, to: commit };
  const hold = await holdCheckout(request, move);
  if (hold === null) {
    return held(
      `another git works in ${worktree.path}, or left ${gitDir}/index.lock behind`,
      `When none does any more, remove that file, then: git merge --ff-only ${commit}`,
    );
  }
  const { index } = hold;
  const answer = await fastForward(request, target, worktree, { index, remembered });
  // Some of its files may be there: it is mended like a move whose process died, and begun again.
  if (answer === 'killed') {
    if (tries > 1) return publishTarget(request, tries - 1);
    await mendCheckout(request);
    return held(`git was killed in ${worktree.path}`, `git merge --ff-only ${commit}`);
  }
  await hold.end(answer.kind === 'advanced');
  return answer;
}

async function fastForward(
  { git, root, run, commit }: PublishRequest,
  target: string,
  worktree: LinkedWorktree,
  { index, remembered }: { readonly index: string; readonly remembered: string | null },
): Promise<PublishResult | 'killed'> {
  const mark = moverMark({ run });
  const merged = await git.run([...FAST_FORWARD, commit], {
    cwd: worktree.path,
    env: { GIT_INDEX_FILE: index, PARALLEL_RUN_ID: mark.run, PARALLEL_TASK_ID: mark.task },
  });
  if (merged.exitCode === -1) return 'killed';
  if (merged.exitCode === 0 && (await readRef(git, root, target)) === commit) {
    return { kind: 'advanced', commit };
  }
  // git sets it before it finds that it cannot merge; the user may still need the old one.
  const restore = remembered === null ? ['-d', ORIG_HEAD] : [ORIG_HEAD, remembered];
  await git.run(['update-ref', ...restore], { cwd: worktree.path });
  const files = listedFiles(merged.stderr);
  if (files.length > 0) {
    return held(
      `uncommitted changes in ${worktree.path} would be overwritten: ${listSome(files)}`,
      `Commit or move these files away, then: git merge --ff-only ${commit}`,
    );
  }
  const said =
    /^(?:error|fatal): (.*)$/m.exec(merged.stderr)?.[1] ?? 'the branch was switched meanwhile';
  return held(
    `${target} could not be moved in ${worktree.path}: ${said}`,
    `git merge --ff-only ${commit}`,
  );
}

/** A ref each worktree has for itself. */
async function ownRef(git: Git, worktree: string, name: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const { exitCode, stdout } = await git.run(args, { cwd: worktree });
  return exitCode === 0 ? stdout.trim() : null;
}

/** git names the files in its way on lines of their own that begin with a tab. */
function listedFiles(stderr: string): readonly string[] {
  return stderr
    .split('\n')
    .flatMap((line) => (line.startsWith('\t') ? [line.slice(1).trim()] : []));
}

function listSome(files: readonly string[]): string {
  const more = files.length - NAMED_FILES;
  return files.slice(0, NAMED_FILES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

function held(reason: string, fix: string): PublishResult {
  return { kind: 'held', reason, fix };
}
