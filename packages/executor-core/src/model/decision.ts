import type { Failure } from './failure';
import type { TaskId } from './ids';

export type RunMode = 'running' | 'draining' | 'paused' | 'stopping';

/** `completed`: every task landed; `failed`: some failed or are blocked; `stopped`: ended early. */
export type RunOutcome = 'completed' | 'failed' | 'stopped';

/** What makes an event an event: when (epoch ms) it happened. The journal adds the writer's name. */
export interface Stamped {
  readonly at: number;
}

/** What `decide` concluded, see `RunEvent`. */
export type Decision = Stamped &
  (
    | { readonly type: 'task:leasing'; readonly task: TaskId }
    /** Given back unstarted, or stopped half-way: it waits for the run to go on. */
    | { readonly type: 'task:withdrawn'; readonly task: TaskId }
    | {
        readonly type: 'task:retrying';
        readonly task: TaskId;
        /** Number of the attempt that follows. */
        readonly attempt: number;
        readonly retryAt: number;
        readonly failure: Failure;
      }
    | { readonly type: 'task:failed'; readonly task: TaskId; readonly failure: Failure }
    | { readonly type: 'task:blocked'; readonly task: TaskId; readonly by: TaskId }
    | {
        readonly type: 'task:conflicted';
        readonly task: TaskId;
        readonly paths: readonly string[];
      }
    | { readonly type: 'task:cancelled'; readonly task: TaskId; readonly by: string }
    | { readonly type: 'barrier:opened'; readonly barrier: string }
    | {
        /** It can never open in this run, so nobody need wait for it. */
        readonly type: 'barrier:broken';
        readonly barrier: string;
        /** The member that will not land; `null` when there are too few slots. */
        readonly by: TaskId | null;
        readonly reason: string;
      }
    | {
        /** An unstarted task was taken from its busy home slot by an idle one. */
        readonly type: 'task:stolen';
        readonly task: TaskId;
        readonly from: number;
        readonly to: number;
        readonly reason: string;
      }
    /** A person has a task that did not land tried again. */
    | { readonly type: 'task:reopened'; readonly task: TaskId; readonly by: string }
    | { readonly type: 'run:resized'; readonly maxAgents: number; readonly by: string }
    | {
        readonly type: 'run:mode';
        readonly mode: RunMode;
        readonly reason: string;
        /** Agents at work are stopped where they are. */
        readonly suspended?: boolean;
      }
    | { readonly type: 'run:finished'; readonly outcome: RunOutcome }
  );
