import type { Candidate } from './event';
import type { Failure } from './failure';
import type { TaskId } from './ids';

/**
 * ```
 * pending ─► leasing ─► running ─► verifying ─► queued ─► merging ─► landed
 *    ▲          │          │           │          ▲          │
 *    │          ▼          └─────┬─────┘       cached        │
 *    └────── (withdrawn)         ▼                           ▼
 *    └──────────────────────  backoff ◄──────────────────────┘
 * side exits: failed (attempts spent) · blocked (names the dependency)
 *             conflicted (waits for a person, who sends it to queued) · cancelled
 * ```
 * "ready" is not stored: a pending task is ready when everything before it has landed.
 */
export type TaskState =
  | { readonly name: 'pending'; readonly attempt: number }
  | { readonly name: 'leasing'; readonly attempt: number }
  | {
      readonly name: 'running';
      readonly attempt: number;
      readonly slot: number;
      readonly token: number;
    }
  | {
      readonly name: 'verifying';
      readonly attempt: number;
      /** `null` once it has left its slot: its agent has ended, and nothing more runs in its worktree. */
      readonly slot: number | null;
      readonly token: number;
    }
  | { readonly name: 'queued'; readonly attempt: number; readonly candidate: Candidate }
  | { readonly name: 'merging'; readonly attempt: number; readonly candidate: Candidate }
  | { readonly name: 'landed'; readonly attempt: number; readonly commit: string | null }
  | {
      readonly name: 'backoff';
      /** Number of the attempt that follows. */
      readonly attempt: number;
      /** When the wait began and when it ends (epoch ms). */
      readonly since: number;
      readonly retryAt: number;
      readonly failure: Failure;
    }
  | { readonly name: 'failed'; readonly attempt: number; readonly failure: Failure }
  | { readonly name: 'blocked'; readonly attempt: number; readonly by: TaskId }
  | { readonly name: 'conflicted'; readonly attempt: number; readonly paths: readonly string[] }
  | { readonly name: 'cancelled'; readonly attempt: number; readonly by: string };

export type TaskStateName = TaskState['name'];

const SETTLED: ReadonlySet<TaskStateName> = new Set([
  'landed',
  'failed',
  'blocked',
  'conflicted',
  'cancelled',
]);
const HOLDING: ReadonlySet<TaskStateName> = new Set([
  'leasing',
  'running',
  'verifying',
  'queued',
  'merging',
]);

/** `true` when nothing more will happen to the task in this run. */
export function isSettled(state: TaskState): boolean {
  return SETTLED.has(state.name);
}

/** `true` while an attempt of the task goes on: from its lease until it is handed in or has failed. */
export function isUnderWay(
  state: TaskState,
): state is Extract<TaskState, { readonly name: 'running' | 'verifying' }> {
  return state.name === 'running' || state.name === 'verifying';
}

/** `true` while the task occupies a slot. */
export function isInSlot(state: TaskState): state is TaskState & { readonly slot: number } {
  return isUnderWay(state) && state.slot !== null;
}

/** `true` while the task holds (or is about to hold) its leases: from `leasing` until it landed. */
export function isHolding(state: TaskState): boolean {
  return HOLDING.has(state.name);
}
