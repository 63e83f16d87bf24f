import type { Fact } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId } from '../model/ids';
import type { LandMode } from '../model/task';
import { absorbTarget } from '../merge/absorb-target';
import { publishTarget } from '../merge/publish-target';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import type { Verifier } from './verifier';

/**
 * The integration branch of a run. It is a hidden ref, because a branch under a checked-out
 * worktree may not be moved; the target follows it by fast-forward after each landing.
 */
export interface Integration {
  readonly ref: string;
  tip(): Promise<string>;
  /**
   * Moves the target to the tip, after taking in what the user committed to it meanwhile; what keeps
   * it from moving is reported as `target:held`.
   */
  publish(): Promise<void>;
}

export interface IntegrationContext {
  readonly git: Git;
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly root: string;
  readonly run: RunId;
  readonly land: LandMode;
  /** Branch the run started on, or `null` on a detached HEAD: the work then lands on `parallel/<run>`. */
  readonly branch: string | null;
  readonly emit: (fact: Fact) => Promise<void>;
  /** Runs `body` while nobody changes git's list of worktrees, which publishing reads. */
  readonly alone: <T>(body: () => Promise<T>) => Promise<T>;
  readonly verifier: Verifier | null;
}

/** How often a target that moves while we look at it is caught up with. */
const ABSORB_TRIES = 3;

/** No task id starts with an underscore, so this never collides with a candidate's ref. */
export function integrationRef(run: RunId): string {
  return `refs/parallel/${run}/_integration`;
}

/** The ref that ends up with the work, or `null` when nothing is to be moved. */
export function targetRef(land: LandMode, branch: string | null, run: RunId): string | null {
  if (land === 'none') return null;
  return land === 'target' && branch !== null ? branch : `refs/heads/parallel/${run}`;
}

/** Opens the integration branch, starting it at `head` when it is new. */
export async function openIntegration(context: IntegrationContext, head: string): Promise<Integration> {
  const ref = integrationRef(context.run);
  const at = { cwd: context.root };
  // Create-only: of several processes that join a run, one starts the branch and all use it.
  await context.git.run(['update-ref', ref, head, ''], at);
  const target = targetRef(context.land, context.branch, context.run);
  const tip = (): Promise<string> => context.git.text(['rev-parse', '--verify', `${ref}^{commit}`], at);
  const hold = async (reason: string): Promise<void> => {
    const commit = await tip();
    await context.emit({ type: 'target:held', ref: target ?? ref, commit, reason, at: context.clock.now() });
  };
  const verify = context.verifier?.check ?? null;
  /** `true` when the integration branch contains the target's `moved` commit. */
  const absorb = async (moved: string): Promise<boolean> => {
    const { git, root } = context;
    for (let tries = ABSORB_TRIES; tries > 0; tries -= 1) {
      const answer = await absorbTarget({ git, root, ref, tip: moved, verify });
      if (answer.kind === 'absorbed') return true;
      if (answer.kind === 'conflict') {
        await hold(`commits made meanwhile conflict with the landed work in ${answer.paths.join(', ')}`);
        return false;
      }
      if (answer.kind === 'rejected') {
        await hold(`together with the commits made meanwhile, ${describeFailure(answer.failure)}`);
        return false;
      }
    }
    return false;
  };
  const publish = async (): Promise<void> => {
    if (target === null) return;
    // Our own branch is made when there is something to put on it; the user's is never made anew.
    if (target !== context.branch) await context.git.run(['update-ref', target, await tip(), ''], at);
    const before = await context.git.run(['rev-parse', '--verify', '--quiet', target], at);
    for (let tries = ABSORB_TRIES; tries > 0; tries -= 1) {
      const commit = await tip();
      const answer = await context.alone(() => publishTarget({ git: context.git, fs: context.fs, root: context.root, target, commit }));
      if (answer.kind === 'advanced') {
        if (before.stdout.trim() === answer.commit && target === context.branch) return;
        await context.emit({ type: 'target:advanced', ref: target, commit: answer.commit, at: context.clock.now() });
        return;
      }
      if (answer.kind === 'held') {
        await hold(`${answer.reason}. ${answer.fix}`);
        return;
      }
      if (!(await absorb(answer.tip))) return;
    }
    await hold(`${target} keeps moving`);
  };
  return { ref, tip, publish };
}
