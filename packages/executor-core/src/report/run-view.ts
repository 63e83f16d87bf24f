import type { LogNormal } from '../graph/log-normal';
import type { NodeTable } from '../graph/node-table';
import type { Cost } from '../model/cost';
import type { EventOf, Candidate, RunMode, RunOutcome } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { ResolvedPath } from '../model/resolved-path';
import type { TaskStateName } from '../model/task-state';
import type { AttemptStory, HealerStory } from './attempt-story';
import type { ConflictAhead } from './fold-ahead';
import type { HeldBy } from '../model/task';

/**
 * What a person or a program sees of a run: a fold over its journal and nothing else.
 * Instants are epoch milliseconds, durations milliseconds, per cents 0..100.
 */
export interface RunView {
  /** `null` until the journal's first record is seen. */
  readonly id: RunId | null;
  readonly mode: RunMode;
  /** Why the run is in this mode; empty while it simply runs. */
  readonly modeReason: string;
  /** Paused, and the agents at work are stopped where they are. */
  readonly suspended: boolean;
  /** How the run stood before the disk refused; `null` unless it waits for the disk, and is `paused` for it. */
  readonly beforeDisk: Pick<RunView, 'mode' | 'modeReason'> | null;
  readonly outcome: RunOutcome | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** The newest instant any event carried. */
  readonly lastEventAt: number | null;
  readonly maxAgents: number;
  /** Commit the run started from. */
  readonly base: string | null;
  readonly target: string | null;
  /** Commit the target branch was last moved to by this run. */
  readonly targetCommit: string | null;
  /** Why the target branch could not be moved; `null` when nothing is held back. */
  readonly targetHeld: string | null;
  /** The latest about each branch. */
  readonly pullRequests: readonly PullRequest[];
  /** Work at hand that will not merge, in the order it was last told. */
  readonly conflictsAhead: readonly ConflictAhead[];
  readonly phase: PhaseView;
  readonly counts: RunCounts;
  readonly concurrency: ConcurrencyView;
  /** In plan order. */
  readonly tasks: ReadonlyMap<TaskId, TaskView>;
  /** Tasks whose work landed, in landing order. */
  readonly landed: readonly TaskId[];
  /** Plan phases, or the levels of the graph when the plan has none. */
  readonly stages: readonly Stage[];
  /** What waits for what: tasks in plan order, then barriers. */
  readonly order: NodeTable;
  /** How long tasks last, as earlier runs taught; without history it is empty. */
  readonly expected: ReadonlyMap<TaskId, LogNormal>;
}

/** A branch that was pushed, and the pull request for it. */
export type PullRequest = Omit<EventOf<'pull-request'>, 'type' | 'at'>;

/** One phase (or level) and its tasks. */
export interface Stage {
  readonly name: string;
  readonly tasks: readonly TaskId[];
}

/** The first stage with an unsettled task; the last one when all are settled. `index` is 1-based. */
export interface PhaseView {
  readonly index: number;
  readonly total: number;
  readonly name: string;
}

/**
 * How many tasks are where. `in_progress` is from leasing to merging, `pending` includes tasks that
 * wait for a retry, `completed` includes the cached ones. Cancelled tasks are in none of them.
 */
export interface RunCounts {
  /** Tasks that occupy a slot now. */
  readonly active: number;
  readonly max_agents: number;
  readonly completed: number;
  readonly in_progress: number;
  readonly pending: number;
  readonly failed: number;
  readonly blocked: number;
  readonly conflicted: number;
  readonly cached: number;
}

/** Slot occupation over time. */
export interface ConcurrencyView {
  readonly active: number;
  readonly peak: number;
  /** Integral of `active` over time up to `lastEventAt`; time between a crash and its recovery is left out. */
  readonly slotMs: number;
}

export interface TaskView {
  readonly id: TaskId;
  /** Position in the plan. */
  readonly index: number;
  /** Phase of the plan. */
  readonly phase: string | null;
  /** Agent profile; `null` for a milestone. */
  readonly profile: string | null;
  readonly state: TaskStateName;
  readonly stateSince: number | null;
  /** Attempt now running, or the one that follows a backoff; 0 before the first. */
  readonly attempt: number;
  /** Slot it occupies; `null` before and after. */
  readonly slot: number | null;
  /** Slot of the latest attempt. */
  readonly lastSlot: number | null;
  /** Start of the first attempt. */
  readonly startedAt: number | null;
  /** Start of the latest attempt. */
  readonly attemptStartedAt: number | null;
  /** When the task settled. */
  readonly finishedAt: number | null;
  /** Time spent in slots by all attempts that left theirs. */
  readonly workedMs: number;
  /** When the present stay in a slot began to count. */
  readonly inSlotSince: number | null;
  /** As reported by the agent. */
  readonly progress: number | null;
  readonly note: string;
  /** Lease holders it waits for. */
  readonly waitingFor: readonly string[];
  readonly retryAt: number | null;
  readonly failure: Failure | null;
  /** Attempt `failure` belongs to. */
  readonly failedAttempt: number | null;
  /** Ref that keeps what the latest failed attempt wrote. */
  readonly salvage: string | null;
  /** Of all attempts, as their agents told. */
  readonly cost: Cost;
  /** Of the latest attempt. */
  readonly attemptCost: Cost;
  /** The attempts that failed, oldest first. */
  readonly attempts: readonly AttemptStory[];
  /** The healer of the latest attempt; `null` when it had none. */
  readonly healing: HealerStory | null;
  /** Commit the latest attempt started from. */
  readonly base: string | null;
  readonly blockedBy: TaskId | null;
  readonly cancelledBy: string | null;
  readonly conflictPaths: readonly string[];
  readonly candidate: Candidate | null;
  readonly worktree: string | null;
  /** What held its last agent to the write set; `null` before the first. */
  readonly sandbox: HeldBy | null;
  readonly branch: string | null;
  readonly cached: boolean;
  /** Commit that landed; `null` when nothing had to. */
  readonly commit: string | null;
  /** The paths that were in conflict when it landed, and how they were settled. */
  readonly resolved: readonly ResolvedPath[];
}

/** States after which nothing more happens to a task in this run. */
const SETTLED: ReadonlySet<TaskStateName> = new Set([
  'landed',
  'failed',
  'blocked',
  'conflicted',
  'cancelled',
]);
const IN_PROGRESS: ReadonlySet<TaskStateName> = new Set([
  'leasing',
  'running',
  'verifying',
  'queued',
  'merging',
]);

/** `true` when nothing more will happen to the task in this run. */
export function isTaskSettled(task: TaskView): boolean {
  return SETTLED.has(task.state);
}

/** `true` from leasing to merging. */
export function isTaskInProgress(task: TaskView): boolean {
  return IN_PROGRESS.has(task.state);
}

/** `true` when only a person can bring this task further. */
export function needsPerson(task: TaskView): boolean {
  return task.state === 'failed' || task.state === 'conflicted';
}

/** Time the task has spent in slots until `now`, over all attempts. */
export function workedMs(task: TaskView, now: number): number {
  const current = task.inSlotSince === null ? 0 : Math.max(0, now - task.inSlotSince);
  return task.workedMs + current;
}

/** Wall time from the first attempt's start to the end (or `now`); `null` before it started. */
export function elapsedMs(task: TaskView, now: number): number | null {
  if (task.startedAt === null) return null;
  return Math.max(0, (task.finishedAt ?? now) - task.startedAt);
}
