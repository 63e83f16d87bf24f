import limitConcurrency from 'p-limit';
import type { ComingConflict, LiveWork } from '../merge/coming-conflicts';
import { comingConflicts } from '../merge/coming-conflicts';
import type { Fact } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { Git } from '../ports/git';
import type { WatchedAttempt } from './checkpoints';
import type { Quarantine } from './quarantine';

export interface ConflictWatchDeps {
  readonly clock: Clock;
  readonly quarantine: Quarantine;
  readonly root: string;
  /** Least time between two looks in ms; `null`: nobody looks. */
  readonly everyMs: number | null;
  /** Id of the tree of a worktree's files, written by `git`. */
  readonly treeOf: (git: Git, worktree: string) => Promise<string>;
  /** Where the next candidate would land. */
  readonly tip: () => Promise<string>;
  readonly emit: (fact: Fact) => Promise<void>;
}

/** Worktrees that are read at once: the machine belongs to the agents. */
const AT_ONCE = 2;
/** After a look of one second there is none for so many seconds. */
const REST = 20;
/** Paths in one event. */
const MOST_PATHS = 20;

interface Watched {
  readonly attempt: WatchedAttempt;
  reading: Promise<unknown>;
}

/**
 * Looks now and then whether what running attempts have in their worktrees would merge, with each other
 * and with what has landed since they started, and tells what has changed. Worktrees and their indexes
 * stay as they are, and no object is left in the repository. Nothing an attempt does depends on it.
 */
export class ConflictWatch {
  private readonly watched = new Map<TaskId, Watched>();
  private readonly turn = limitConcurrency(AT_ONCE);
  /** What was told and still holds: tasks to paths. */
  private readonly told = new Map<string, ComingConflict>();
  private cancelTimer: (() => void) | null = null;
  private looking = false;
  private seen = '';

  constructor(private readonly deps: ConflictWatchDeps) {}

  /** The attempt is among those that are looked at, until `end` resolves. */
  watch(attempt: WatchedAttempt): { readonly end: () => Promise<void> } {
    const { task } = attempt;
    const entry: Watched = { attempt, reading: Promise.resolve() };
    this.watched.set(task, entry);
    this.arm(this.deps.everyMs);
    return {
      end: async () => {
        if (this.watched.get(task) === entry) this.forget(task);
        await entry.reading;
      },
    };
  }

  private forget(task: TaskId): void {
    this.watched.delete(task);
    for (const [key, { tasks }] of this.told) if (tasks.includes(task)) this.told.delete(key);
    if (this.watched.size > 0) return;
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  private arm(afterMs: number | null): void {
    if (afterMs === null || this.watched.size === 0) return;
    if (this.cancelTimer !== null || this.looking) return;
    this.cancelTimer = this.deps.clock.after(afterMs, () => {
      this.cancelTimer = null;
      void this.look(afterMs);
    });
  }

  /** Never rejects: what cannot be read now is looked at again later. */
  private async look(everyMs: number): Promise<void> {
    const { clock, quarantine } = this.deps;
    const since = clock.now();
    this.looking = true;
    try {
      await this.sweep();
    } catch {
      // An agent may have removed anything meanwhile; the merge queue does not depend on this.
    }
    await quarantine.clear().catch(() => undefined);
    this.looking = false;
    this.arm(Math.max(this.deps.everyMs ?? everyMs, REST * (clock.now() - since)));
  }

  private async sweep(): Promise<void> {
    const { quarantine, root } = this.deps;
    const tip = await this.deps.tip();
    const entries = this.entries();
    const isAlone = entries.length < 2 && entries.every(({ attempt }) => attempt.base === tip);
    if (isAlone && this.told.size === 0) return;
    await quarantine.open();
    const works = (await Promise.all(entries.map((entry) => this.read(entry)))).flatMap(
      (work) => work ?? [],
    );
    const seen = JSON.stringify([tip, works]);
    if (seen === this.seen) return;
    const found = await comingConflicts(quarantine.git, root, works, tip);
    this.seen = seen;
    await this.tell(found, new Set(works.map(({ task }) => task)));
  }

  /** By id of the task: a pair is named the same way whichever of the two began first. */
  private entries(): Watched[] {
    const byTask = [...this.watched].sort(([a], [b]) => (a < b ? -1 : 1));
    return byTask.map(([, entry]) => entry);
  }

  private read(entry: Watched): Promise<LiveWork | null> {
    const { task, base, worktree } = entry.attempt;
    const { quarantine, treeOf } = this.deps;
    const reading = this.turn(async () => {
      if (this.watched.get(task) !== entry) return null;
      return { task, base, tree: await treeOf(quarantine.git, worktree) };
    }).catch(() => null);
    entry.reading = reading;
    return reading;
  }

  private async tell(found: readonly ComingConflict[], read: ReadonlySet<TaskId>): Promise<void> {
    const current = new Map(found.map((conflict) => [conflict.tasks.join('\n'), conflict]));
    const gone = [...this.told].flatMap(([key, { tasks }]) =>
      current.has(key) || !tasks.every((task) => read.has(task)) ? [] : { tasks, paths: [] },
    );
    for (const { tasks, paths: all } of [...gone, ...found]) {
      if (!tasks.every((task) => this.watched.has(task))) continue;
      const paths = all.slice(0, MOST_PATHS);
      const key = tasks.join('\n');
      if (paths.join('\n') === (this.told.get(key)?.paths ?? []).join('\n')) continue;
      if (paths.length === 0) this.told.delete(key);
      else this.told.set(key, { tasks, paths });
      await this.deps.emit({ type: 'conflict:ahead', tasks, paths, at: this.deps.clock.now() });
    }
  }
}
