import limitConcurrency from 'p-limit';
import type { WorktreePool } from '../isolate/worktree-pool';
import type { Fact, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { Settings } from '../model/task';
import type { Clock } from '../ports/clock';
import type { Git } from '../ports/git';

/** An attempt at work in its worktree. */
export interface WatchedAttempt {
  readonly task: TaskId;
  /** 1-based. */
  readonly attempt: number;
  readonly worktree: string;
  /** Commit it started from. */
  readonly base: string;
}

export interface CheckpointsDeps {
  readonly clock: Clock;
  readonly git: Git;
  readonly pool: Pick<WorktreePool, 'snapshot'>;
  readonly root: string;
  readonly run: RunId;
  /** When: at the opening of each phase, at each landing, or every so many ms. */
  readonly when: Settings['checkpoint'];
  readonly emit: (fact: Fact) => Promise<void>;
}

/** Worktrees that are read at once: the machine belongs to the agents. */
const AT_ONCE = 2;

/** The ref of an attempt's checkpoints. */
export function checkpointRef(run: RunId, task: TaskId, attempt: number): string {
  return `refs/parallel/${run}/${task}/wip-${attempt}`;
}

/**
 * Keeps what is in the worktrees of running attempts under refs, now and then, so that little of it is
 * gone when the worktree is. Agents are not disturbed, and nothing an attempt does depends on it.
 */
export class Checkpoints {
  private readonly watched = new Map<TaskId, CheckpointedAttempt>();
  private readonly turn = limitConcurrency(AT_ONCE);
  private cancelTimer: (() => void) | null = null;
  private sweeping = false;
  private wanted = false;

  constructor(private readonly deps: CheckpointsDeps) {}

  /** From now on until its `end` the attempt is among those that are kept. */
  watch(attempt: WatchedAttempt): CheckpointedAttempt {
    const { task } = attempt;
    const watched = new CheckpointedAttempt(this.deps, attempt, () => {
      if (this.watched.get(task) === watched) this.watched.delete(task);
      if (this.watched.size === 0) this.disarm();
    });
    this.watched.set(task, watched);
    this.arm();
    return watched;
  }

  /** Listens to the run: a landing or the opening of a phase may be the time for a checkpoint. */
  readonly take = (event: RunEvent): void => {
    const trigger = this.deps.when === 'task' ? 'task:landed' : 'barrier:opened';
    if (typeof this.deps.when === 'string' && event.type === trigger) void this.sweep();
  };

  private arm(): void {
    const { when, clock } = this.deps;
    if (typeof when === 'string' || this.cancelTimer !== null || this.watched.size === 0) return;
    this.cancelTimer = clock.after(when, () => {
      this.cancelTimer = null;
      void this.sweep().then(() => {
        this.arm();
      });
    });
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  /** One at a time; what is asked for meanwhile is done once, after it. Never rejects. */
  private async sweep(): Promise<void> {
    this.wanted = true;
    if (this.sweeping) return;
    this.sweeping = true;
    while (this.wanted) {
      this.wanted = false;
      const attempts = [...this.watched.values()];
      await Promise.all(attempts.map((attempt) => this.turn(() => attempt.save())));
    }
    this.sweeping = false;
  }
}

/** The checkpoints of one attempt. */
export class CheckpointedAttempt {
  private readonly name: string;
  private kept: string | null = null;
  private saving: Promise<void> = Promise.resolve();
  private ended = false;
  private failed = false;

  constructor(
    private readonly deps: CheckpointsDeps,
    private readonly attempt: WatchedAttempt,
    private readonly onEnd: () => void,
  ) {
    this.name = checkpointRef(deps.run, attempt.task, attempt.attempt);
  }

  /** The ref of the last checkpoint; `null` when none was made. */
  get ref(): string | null {
    return this.kept === null ? null : this.name;
  }

  /** Makes one now, unless the attempt has ended. Never rejects. */
  save(): Promise<void> {
    if (!this.ended) this.saving = this.saving.then(() => this.attemptToSave());
    return this.saving;
  }

  /** Resolves when nobody reads the worktree any more; from now on there is no checkpoint of it. */
  end(): Promise<void> {
    this.ended = true;
    this.onEnd();
    return this.saving;
  }

  /** Drops the ref, because all of the work is kept elsewhere. Never rejects. */
  async drop(): Promise<void> {
    const { git, root } = this.deps;
    if (this.kept === null) return;
    // Left behind it is of no harm: `clean` takes it with the rest.
    await git
      .objects(root)
      .moveRefs([`delete ${this.name} ${this.kept}`])
      .catch(() => undefined);
    this.kept = null;
  }

  private async attemptToSave(): Promise<void> {
    const { deps, name: ref } = this;
    const { task, attempt, worktree, base } = this.attempt;
    const at = (): number => deps.clock.now();
    try {
      const previous = this.kept ?? (await deps.git.objects(deps.root).resolve(ref));
      const message = `Checkpoint of ${task}, attempt ${attempt}\n`;
      const made = await deps.pool.snapshot({ path: worktree, base, ref, previous, message });
      this.kept = made.changed ? made.commit : previous;
      if (!made.changed) return;
      await deps.emit({
        type: 'task:checkpointed',
        task,
        attempt,
        ref,
        commit: made.commit,
        at: at(),
      });
    } catch (error) {
      if (this.failed) return;
      this.failed = true;
      const text = error instanceof Error ? error.message : String(error);
      await deps.emit({ type: 'checkpoint:failed', task, attempt, message: text, at: at() });
    }
  }
}
