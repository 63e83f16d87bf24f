import type { ControlRequest } from './control-request';
import type { Candidate } from './candidate';
import type { Cost } from './cost';
import type { Decision, Stamped } from './decision';
import type { DiskTrouble } from './disk-trouble';
import type { Failure } from './failure';
import type { RunId, TaskId } from './ids';
import type { ProcessIdentity } from './process';
import type { ResolvedPath } from './resolved-path';
import type { HeldBy } from './task';

export type { Candidate } from './candidate';
export type { Decision, RunMode, RunOutcome } from './decision';

/**
 * The vocabulary. The journal stores these; status, dashboard, JSON and report are folds over them.
 *
 * *Facts* are reported by whoever performs commands (or by another process) and are the input of
 * `decide`. *Decisions* are what `decide` concluded; they are recorded beside the facts, so that a
 * fold over the journal alone gives the live state back.
 */
export type RunEvent = Fact | Decision;

export type FrontDoor = 'cli' | 'nx' | 'api';
export type { ControlRequest };

export type Fact = Stamped &
  (
    | {
        readonly type: 'run:started';
        readonly run: RunId;
        readonly planFile: string | null;
        readonly planDigest: string;
        readonly base: string;
        /** Full name of the branch the run started on; `null` on a detached HEAD. */
        readonly target: string | null;
        readonly maxAgents: number;
        readonly frontDoor: FrontDoor;
        readonly tasks: number;
        readonly owner: ProcessIdentity;
      }
    | {
        readonly type: 'run:joined';
        readonly owner: ProcessIdentity;
        /** When the run had begun (epoch ms): its deadline counts from there. */
        readonly since?: number;
      }
    | { readonly type: 'run:resumed'; readonly owner: ProcessIdentity }
    | { readonly type: 'control:requested'; readonly request: ControlRequest; readonly by: string }
    | {
        readonly type: 'task:leased';
        readonly task: TaskId;
        readonly slot: number;
        readonly token: number;
      }
    | {
        readonly type: 'task:waiting';
        readonly task: TaskId;
        /** Who holds what it needs, for people: `landing (agent-3)`. */
        readonly holders: readonly string[];
      }
    | {
        readonly type: 'task:started';
        readonly task: TaskId;
        readonly attempt: number;
        readonly slot: number;
        readonly base: string;
        readonly branch: string;
        readonly worktree: string;
        readonly profile: string;
        /** Commit of an interrupted attempt's work that is in the worktree, where there is one. */
        readonly resumedFrom?: string;
        /** What holds the agent to its write set while it works; the check of its result alone: `audit`. */
        readonly sandbox?: HeldBy;
      }
    | {
        /** What is in the worktree of a running attempt is kept under `ref`, which moved to `commit`. */
        readonly type: 'task:checkpointed';
        readonly task: TaskId;
        readonly attempt: number;
        readonly ref: string;
        readonly commit: string;
      }
    | {
        /** A checkpoint could not be made; told once per attempt, which goes on. */
        readonly type: 'checkpoint:failed';
        readonly task: TaskId;
        readonly attempt: number;
        readonly message: string;
      }
    | {
        readonly type: 'process:started';
        readonly task: TaskId;
        readonly attempt: number;
        readonly process: ProcessIdentity;
      }
    | {
        readonly type: 'task:progress';
        readonly task: TaskId;
        readonly percent: number | null;
        readonly note: string;
      }
    | {
        readonly type: 'task:verifying';
        readonly task: TaskId;
        readonly attempt: number;
        /** Nothing more runs in its worktree: the next agent may take its slot. */
        readonly leavesSlot?: true;
      }
    | {
        readonly type: 'task:queued';
        readonly task: TaskId;
        readonly attempt: number;
        readonly candidate: Candidate;
      }
    | {
        readonly type: 'task:merging';
        readonly task: TaskId;
        readonly onto: string;
        readonly batch: number;
      }
    | {
        readonly type: 'task:landed';
        readonly task: TaskId;
        /** Commit on the integration branch; `null` when there was nothing to land. */
        readonly commit: string | null;
        readonly tree: string | null;
        /** The paths that were in conflict, and how they were settled; absent where none was. */
        readonly resolved?: readonly ResolvedPath[];
      }
    | {
        /** What the agents of an attempt said it cost; told once, when they have ended. */
        readonly type: 'task:cost';
        readonly task: TaskId;
        readonly attempt: number;
        readonly cost: Cost;
      }
    | {
        /** The plan's checks were red and then green for the same tree: `failure` was a flake. */
        readonly type: 'check:flaked';
        readonly task: TaskId;
        readonly attempt: number;
        readonly failure: Failure;
      }
    | {
        /**
         * What agents have in their worktrees will not merge: of two tasks, or of one with what has landed
         * since it started. At most 20 paths; none: it will, by now.
         */
        readonly type: 'conflict:ahead';
        readonly tasks: readonly TaskId[];
        readonly paths: readonly string[];
      }
    | { readonly type: 'task:cached'; readonly task: TaskId; readonly candidate: Candidate }
    | {
        /** A person settled the conflict that the task waited with: it waits to land again. */
        readonly type: 'task:resolved';
        readonly task: TaskId;
        /** The attempt that was in conflict. */
        readonly attempt: number;
        readonly candidate: Candidate;
        readonly by: string;
      }
    | {
        readonly type: 'attempt:failed';
        readonly task: TaskId;
        readonly attempt: number;
        readonly failure: Failure;
        /** Ref that keeps what the attempt wrote, when it wrote something. */
        readonly salvage: string | null;
        /** Fencing token of the lease it was made under, where it had one. */
        readonly token?: number;
      }
    | { readonly type: 'timer:due'; readonly task: TaskId }
    /** The time of a task over all its attempts is up. */
    | { readonly type: 'task:overdue'; readonly task: TaskId }
    /** The time of the run is up. */
    | { readonly type: 'run:overdue' }
    | {
        /** A holder was granted more write room while it worked. */
        readonly type: 'task:widened';
        readonly task: TaskId;
        readonly writes: readonly string[];
      }
    | {
        /** A healer looks at a failed attempt's worktree, or the resolver at a conflict, before the retry. */
        readonly type: 'task:healing';
        readonly task: TaskId;
        readonly attempt: number;
        readonly healer: string;
        /** Paths the resolver is to settle, at most 20; absent: it is a healer. */
        readonly conflict?: readonly string[];
      }
    | {
        readonly type: 'task:healed';
        readonly task: TaskId;
        readonly attempt: number;
        /** `fixed`: it changed files, or settled the conflict; `diagnosed`: it only had words. */
        readonly outcome: 'fixed' | 'diagnosed' | 'failed';
        /** What it said, for the next attempt and for people. */
        readonly note: string;
      }
    | {
        /** Somebody waits at a barrier; `waiter` is a task when its agent does, in this run. */
        readonly type: 'barrier:waiting';
        readonly barrier: string;
        readonly waiter: TaskId | null;
      }
    | {
        readonly type: 'barrier:left';
        readonly barrier: string;
        readonly waiter: TaskId | null;
      }
    | {
        /** The disk takes nothing more: nothing new is begun until it does; agents at work go on. */
        readonly type: 'disk:refused';
        readonly trouble: DiskTrouble;
        /** For people: which disk, and what it needs. */
        readonly reason: string;
      }
    | { readonly type: 'disk:recovered' }
    | {
        readonly type: 'target:advanced';
        readonly ref: string;
        readonly commit: string;
      }
    | {
        readonly type: 'target:held';
        readonly ref: string;
        readonly commit: string;
        /** Why the target could not be moved, and what the person can do. */
        readonly reason: string;
      }
    | {
        /** A branch was pushed, and a pull request opened or found for it. */
        readonly type: 'pull-request';
        /** Name of the remote. */
        readonly remote: string;
        /** Short name of the branch, there. */
        readonly branch: string;
        /** Short name of the branch that is asked to take it. */
        readonly base: string;
        readonly commit: string;
        readonly tasks: readonly TaskId[];
        /** `null`: there is none; then `reason` says why, and what the person can do. */
        readonly url: string | null;
        readonly reason: string | null;
      }
  );

/** The `type` literals, as keys of the message tables and of `executor.on`. */
export type RunEventType = RunEvent['type'];
/** The member of the union with this `type`. */
export type EventOf<T extends RunEventType> = Extract<RunEvent, { readonly type: T }>;
