import type { Fact } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId } from '../model/ids';
import { integrationRef } from '../model/landing';
import type { LandMode } from '../model/task';
import { absorbTarget } from '../merge/absorb-target';
import type { RefGuard } from '../merge/land';
import { advanceIntegration, readRef } from '../merge/land';
import { publishTarget } from '../merge/publish-target';
import type { SquashResult } from '../merge/squash';
import { squashOnto, startOfRun } from '../merge/squash';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import type { ProcessTrees } from '../ports/processes';
import type { Publishing } from './style-of-plan';
import type { Verifier } from './verifier';

export interface IntegrationContext extends Publishing {
  readonly git: Git;
  readonly fs: FileSystem;
  readonly trees: ProcessTrees;
  readonly clock: Clock;
  readonly root: string;
  readonly run: RunId;
  /** Branch the run started on, or `null` on a detached HEAD: the work then lands on `parallel/<run>`. */
  readonly branch: string | null;
  readonly emit: (fact: Fact) => Promise<void>;
  /** Runs `body` while nobody changes git's list of worktrees, which publishing reads. */
  readonly alone: <T>(body: () => Promise<T>) => Promise<T>;
  readonly verifier: Verifier | null;
  /** Who may land. */
  readonly fence: RefGuard;
}

/** No git that lives holds the lock of a ref for so long. */
const REF_LOCK_MS = 1000;
/** How often a target that moves while we look at it is caught up with. */
const CATCH_UP_TRIES = 3;

/** The ref that ends up with the work, or `null` when nothing is to be moved. */
export function targetRef(land: LandMode, branch: string | null, run: RunId): string | null {
  if (land === 'none') return null;
  return land === 'target' && branch !== null ? branch : `refs/heads/parallel/${run}`;
}

/** Commit of the ref that ends up with the work of a run: `target` where it exists, else the run's own. */
export async function publishedTip(
  git: Git,
  root: string,
  run: RunId,
  target: string | null,
): Promise<string> {
  const own = integrationRef(run);
  const tip =
    (target === null ? null : await readRef(git, root, target)) ?? (await readRef(git, root, own));
  if (tip === null) throw new Error(`${own} does not exist.`);
  return tip;
}

/**
 * The integration branch of a run. It is a hidden ref, because a branch under a checked-out
 * worktree may not be moved; the target follows it by fast-forward after each landing.
 */
export class Integration {
  readonly ref: string;
  private readonly target: string | null;

  private constructor(private readonly context: IntegrationContext) {
    this.ref = integrationRef(context.run);
    this.target = targetRef(context.land, context.branch, context.run);
  }

  /** Opens the branch of a run; a new one starts at `head`. */
  static async open(context: IntegrationContext, head: string): Promise<Integration> {
    const integration = new Integration(context);
    // Create-only: of several processes that join a run, one starts the branch and all use it.
    const { git, root, fence: guard } = context;
    await advanceIntegration({ git, root, ref: integration.ref, from: null, to: head, guard });
    return integration;
  }

  /** Commit every new attempt starts from. */
  tip(): Promise<string> {
    const { git, root, run } = this.context;
    return publishedTip(git, root, run, null);
  }

  /** Something has landed: the target follows, unless it is to get everything at once. See `publish`. */
  async follow(mayAbsorb: boolean): Promise<boolean> {
    return this.context.once || this.publish(mayAbsorb);
  }

  /**
   * Moves the target to the tip, after taking in what the user committed to it meanwhile; what keeps
   * it from moving is reported as `target:held`. Where nothing may be taken in now, `false` says that
   * there is something.
   */
  async publish(mayAbsorb = true): Promise<boolean> {
    const { target, context } = this;
    if (target === null) return true;
    // Squashing notes what it made on the integration branch, as taking in does.
    if (!mayAbsorb && context.commits === 'squash') return false;
    const before = await this.targetTip(target);
    for (let tries = CATCH_UP_TRIES; tries > 0; tries -= 1) {
      const { git, fs, trees, root, run, clock, fence } = context;
      const ready = await this.toPublish(target);
      if (ready.kind === 'stale') continue;
      if (ready.kind === 'diverged') {
        if (await this.absorb(ready.tip)) continue;
        return true;
      }
      const { commit } = ready;
      const pause = (): Promise<void> =>
        new Promise((resolve) => clock.after(REF_LOCK_MS, resolve));
      const request = { git, fs, trees, root, run, target, commit, fence, pause };
      const answer = await context.alone(() => publishTarget(request));
      switch (answer.kind) {
        case 'advanced':
          if (before !== answer.commit) await this.tell('target:advanced', answer.commit);
          return true;
        case 'held':
          await this.hold(`${answer.reason}. ${answer.fix}`);
          return true;
        case 'diverged':
          if (!mayAbsorb) return false;
          if (!(await this.absorb(answer.tip))) return true;
      }
    }
    await this.hold(`${target} keeps moving`);
    return true;
  }

  /** The commit that the target is to point at. */
  private async toPublish(target: string): Promise<SquashResult> {
    const { git, root, run, commits, commit, fence } = this.context;
    const at = commits === 'squash' ? await readRef(git, root, target) : null;
    // Without a target there is nothing to squash onto; publishing says what became of it.
    if (at === null) return { kind: 'squashed', commit: await this.tip() };
    return squashOnto({ git, root, run, ref: this.ref, target: at, commit, fence });
  }

  /** Commit of the ref that ends up with the work. */
  published(): Promise<string> {
    const { git, root, run } = this.context;
    return publishedTip(git, root, run, this.target);
  }

  /**
   * Takes in what has landed on the target since, through another run for instance, so that work which
   * builds upon it finds it. Call it under the merge lock.
   */
  async catchUp(): Promise<void> {
    const { git, root } = this.context;
    const tip = this.target === null ? null : await readRef(git, root, this.target);
    if (tip !== null) await this.absorb(tip);
  }

  /** Where the target is; our own branch is made here, the user's is never made anew. */
  private async targetTip(target: string): Promise<string | null> {
    const { git, root, run, branch, commits, fence: guard } = this.context;
    const found = await readRef(git, root, target);
    if (found === null && target !== branch) {
      const tip = await this.tip();
      const start = commits === 'squash' ? await startOfRun(git, root, run, tip) : null;
      const to = start ?? tip;
      await advanceIntegration({ git, root, ref: target, from: null, to, guard });
    }
    return found;
  }

  /** `true` when the integration branch now contains `moved`, a commit of the target. */
  private async absorb(moved: string): Promise<boolean> {
    const { git, root, verifier, fence } = this.context;
    const verify = verifier?.check ?? null;
    for (let tries = CATCH_UP_TRIES; tries > 0; tries -= 1) {
      const answer = await absorbTarget({ git, root, ref: this.ref, tip: moved, verify, fence });
      switch (answer.kind) {
        case 'absorbed':
          return true;
        case 'conflict': {
          const paths = answer.paths.join(', ');
          await this.hold(`commits made meanwhile conflict with the landed work in ${paths}`);
          return false;
        }
        case 'rejected': {
          const why = describeFailure(answer.failure);
          await this.hold(`together with the commits made meanwhile, ${why}`);
          return false;
        }
        case 'stale':
      }
    }
    await this.hold('the integration branch keeps moving');
    return false;
  }

  private async hold(reason: string): Promise<void> {
    const ref = this.target ?? this.ref;
    const commit = await this.tip();
    const at = this.context.clock.now();
    await this.context.emit({ type: 'target:held', ref, commit, reason, at });
  }

  private tell(type: 'target:advanced', commit: string): Promise<void> {
    const ref = this.target ?? this.ref;
    return this.context.emit({ type, ref, commit, at: this.context.clock.now() });
  }
}
