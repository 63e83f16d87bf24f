import type { Decision } from '../model/event';
import type { TaskId } from '../model/ids';

/** What the run loop must do. `record` entries come first in a turn: journal first, then act. */
export type Command =
  | { readonly type: 'record'; readonly event: Decision }
  /** Ask for the task's leases and one of `slots`, in order of preference. */
  | {
      readonly type: 'acquire';
      readonly task: TaskId;
      readonly attempt: number;
      readonly slots: readonly number[];
    }
  /** Stop asking; whatever was granted meanwhile is given back. */
  | { readonly type: 'withdraw'; readonly task: TaskId }
  | {
      readonly type: 'start';
      readonly task: TaskId;
      readonly attempt: number;
      readonly slot: number;
      readonly token: number;
    }
  /** A milestone: report it landed. */
  | { readonly type: 'pass'; readonly task: TaskId }
  /** Candidates wait: drain the merge queue. */
  | { readonly type: 'land' }
  /** Stop landing: candidates stay queued for a later run. */
  | { readonly type: 'halt' }
  /** Give back the task's slot or all its leases; with `token`, those of that lease alone. */
  | {
      readonly type: 'free';
      readonly task: TaskId;
      readonly what: 'slot' | 'all';
      readonly token?: number;
    }
  /** Report `timer:due` in `afterMs`: a clock that is set meanwhile changes nothing. */
  | { readonly type: 'wake'; readonly task: TaskId; readonly afterMs: number }
  | { readonly type: 'stop'; readonly task: TaskId; readonly how: 'interrupt' | 'kill' }
  /** Freeze the agent's processes where they are (`suspend`), or let them go on. */
  | { readonly type: 'suspend' | 'continue'; readonly task: TaskId }
  /** Report `task:overdue` at `at` (epoch ms), or `run:overdue` where `task` is `null`. */
  | { readonly type: 'deadline'; readonly task: TaskId | null; readonly at: number };
