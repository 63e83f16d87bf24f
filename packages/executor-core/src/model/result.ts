import type { Cost } from './cost';
import type { Failure, FailureClass } from './failure';
import type { CommitsMode, HeldBy, LandMode } from './task';
import type { ResolvedPath } from './resolved-path';

/**
 * The `parallel_execution` object of the specification, key for key, and ours beside it.
 * Instants are ISO 8601, durations milliseconds.
 */
export interface TaskResult {
  readonly status: 'completed' | 'failed' | 'blocked' | 'conflicted' | 'cancelled' | 'pending';
  readonly started_at?: string;
  readonly completed_at?: string;
  readonly failed_at?: string;
  readonly duration_ms?: number;
  readonly error?: string;
}

export interface ParallelExecution {
  readonly id: string;
  readonly status: 'running' | 'completed' | 'failed' | 'stopped';
  readonly config: {
    readonly max_concurrency: number;
    readonly fail_fast: boolean;
    readonly timeout_ms: number;
  };
  readonly tasks: {
    readonly total: number;
    readonly completed: number;
    readonly failed: number;
    readonly ids: readonly string[];
  };
  readonly results: Readonly<Record<string, TaskResult>>;
  readonly timing: {
    readonly started_at: string;
    readonly completed_at: string | null;
    readonly total_duration_ms: number;
    readonly sequential_estimate_ms: number;
    readonly speedup_factor: number;
  };
  readonly resources: { readonly peak_concurrency: number; readonly avg_concurrency: number };
}

/** One failed attempt of a task that did not land. */
export interface AttemptResult {
  readonly attempt: number;
  readonly class: FailureClass;
  readonly kind: Failure['kind'];
  readonly message: string;
  /** Transcript, relative to the repository root; `null` when no agent was started. */
  readonly log: string | null;
  /** Ref that keeps what it wrote. */
  readonly salvage: string | null;
  /** What the healer did and said; `null` when none looked at it. */
  readonly healer: {
    readonly profile: string;
    readonly outcome: 'fixed' | 'diagnosed' | 'failed' | null;
    readonly note: string;
  } | null;
}

/** What `run --json` prints and `report/result.json` holds. */
export interface RunResult {
  readonly schemaVersion: 1;
  readonly parallel_execution: ParallelExecution;
  readonly failures: readonly {
    readonly task: string;
    readonly attempt: number;
    readonly kind: string;
    readonly message: string;
    readonly log: string | null;
    /** See `CURES`: what kind of failure it was. */
    readonly class: FailureClass | 'unknown';
    /** Ref that keeps the work of the failed attempt. */
    readonly salvage: string | null;
    /** Every failed attempt, oldest first. */
    readonly attempts: readonly AttemptResult[];
  }[];
  readonly merges: readonly {
    readonly task: string;
    readonly commit: string | null;
    readonly cached: boolean;
    /** The paths that were in conflict, and how they were settled. */
    readonly resolved: readonly ResolvedPath[];
  }[];
  readonly critical_path: readonly string[];
  /** By task: what held its agent to its write set while it worked; `audit`: the check of the result alone. */
  readonly sandbox: Readonly<Record<string, HeldBy>>;
  /** Of all attempts, as far as their agents told. */
  readonly cost: Cost;
  /** Where the work is, and how it gets to where it belongs. */
  readonly landing: {
    readonly mode: LandMode;
    readonly commits: CommitsMode;
    /** Ref that holds all that landed: the target where it followed, else the run's own. */
    readonly ref: string;
    /** Why the target was not moved, and what to do; `null` when nothing is held back. */
    readonly held: string | null;
    /** Command that brings the work to the current branch; `null` where it is there. */
    readonly take: string | null;
    readonly pull_requests: readonly {
      readonly branch: string;
      readonly base: string;
      readonly commit: string;
      readonly tasks: readonly string[];
      readonly url: string | null;
      readonly reason: string | null;
    }[];
  };
  readonly target: {
    readonly ref: string | null;
    readonly commit: string | null;
    readonly held: string | null;
  };
}
