import type { Cost } from '../model/cost';
import type { RunMode, RunOutcome } from '../model/event';
import { describeFailure } from '../model/failure';
import { slotName } from '../model/ids';
import type { ResolvedPath } from '../model/resolved-path';
import type { TaskStateName } from '../model/task-state';
import { etaOf, percentDone, speedup } from './progress';
import type { PhaseView, RunCounts, RunView, TaskView } from './run-view';
import { elapsedMs } from './run-view';
import type { HeldBy } from '../model/task';

/** What `status --json` prints. Keys change by addition only; instants are ISO 8601. */
export interface StatusJson {
  readonly schemaVersion: 1;
  readonly run: {
    readonly id: string | null;
    /** The outcome once finished, else the mode; `interrupted` when the process that ran it is gone. */
    readonly status: RunMode | RunOutcome | 'interrupted';
    /** Why it is in this mode, e.g. which disk is full; `null` while it simply runs. */
    readonly reason: string | null;
    /** The agents at work are stopped where they are. */
    readonly suspended: boolean;
    readonly phase: PhaseView;
    /** `null`: unknown, there is no history yet. */
    readonly eta_ms: number | null;
    /** It will hardly take longer than this. */
    readonly eta_p90_ms: number | null;
    readonly speedup: number | null;
    readonly started_at: string | null;
    readonly finished_at: string | null;
    /** Why the target branch could not be moved. */
    readonly target_held: string | null;
  };
  readonly counts: RunCounts;
  /** The slots in use. */
  readonly agents: readonly AgentJson[];
  /** Work at hand that will not merge; one task alone: with what has landed since it started. */
  readonly conflicts_ahead: readonly {
    readonly tasks: readonly string[];
    readonly paths: readonly string[];
    readonly since: string | null;
  }[];
  /** In plan order. */
  readonly tasks: readonly TaskJson[];
}

export interface AgentJson {
  readonly id: string;
  readonly profile: string | null;
  readonly task: string;
  readonly state: TaskStateName;
  readonly progress: number | null;
  readonly waiting_for: readonly string[];
}

export interface TaskJson {
  readonly id: string;
  readonly state: TaskStateName;
  readonly phase: string | null;
  readonly agent: string | null;
  readonly profile: string | null;
  readonly attempt: number;
  readonly progress: number | null;
  readonly note: string;
  readonly waiting_for: readonly string[];
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly error: string | null;
  /** Ref that keeps what the last failed attempt wrote. */
  readonly salvage: string | null;
  readonly blocked_by: string | null;
  readonly cached: boolean;
  /** What holds its agent to the write set; `null` before its first attempt. */
  readonly sandbox: HeldBy | null;
  /** Of all attempts, as far as their agents told. */
  readonly cost: Cost;
  readonly commit: string | null;
  /** The paths that were in conflict when it landed, and how they were settled. */
  readonly resolved: readonly ResolvedPath[];
}

/** The status object at `now` (epoch ms). `ownerAlive: false`: nobody drives the unfinished run. */
export function statusJson(view: RunView, now: number, ownerAlive = true): StatusJson {
  const eta = ownerAlive || view.outcome !== null ? etaOf(view, now) : null;
  return {
    schemaVersion: 1,
    run: {
      id: view.id,
      status: view.outcome ?? (ownerAlive ? view.mode : 'interrupted'),
      reason: view.modeReason === '' ? null : view.modeReason,
      suspended: view.suspended,
      phase: view.phase,
      eta_ms: rounded(eta?.p50Ms ?? null, 1),
      eta_p90_ms: rounded(eta?.p90Ms ?? null, 1),
      speedup: rounded(speedup(view, now), 100),
      started_at: iso(view.startedAt),
      finished_at: iso(view.finishedAt),
      target_held: view.targetHeld,
    },
    counts: view.counts,
    agents: busyTasks(view).map((task) => agentJson(view, task, now)),
    conflicts_ahead: view.conflictsAhead.map(({ tasks, paths, since }) => ({
      tasks,
      paths,
      since: iso(since),
    })),
    tasks: [...view.tasks.values()].map((task) => taskJson(view, task, now)),
  };
}

/** The tasks that occupy (or were just granted) a slot, by slot number. */
export function busyTasks(view: RunView): readonly (TaskView & { readonly slot: number })[] {
  return [...view.tasks.values()]
    .filter((task): task is TaskView & { readonly slot: number } => task.slot !== null)
    .sort((a, b) => a.slot - b.slot);
}

function agentJson(
  view: RunView,
  task: TaskView & { readonly slot: number },
  now: number,
): AgentJson {
  return {
    id: slotName(task.slot),
    profile: task.profile,
    task: task.id,
    state: task.state,
    progress: percentDone(view, task, now),
    waiting_for: task.waitingFor,
  };
}

function taskJson(view: RunView, task: TaskView, now: number): TaskJson {
  return {
    id: task.id,
    state: task.state,
    phase: task.phase,
    agent: task.lastSlot === null ? null : slotName(task.lastSlot),
    profile: task.profile,
    attempt: task.attempt,
    progress: percentDone(view, task, now),
    note: task.note,
    waiting_for: task.waitingFor,
    started_at: iso(task.startedAt),
    finished_at: iso(task.finishedAt),
    duration_ms: elapsedMs(task, now),
    error: task.failure === null ? null : describeFailure(task.failure),
    salvage: task.salvage,
    blocked_by: task.blockedBy,
    cached: task.cached,
    sandbox: task.sandbox,
    cost: task.cost,
    commit: task.commit,
    resolved: task.resolved,
  };
}

function iso(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

function rounded(value: number | null, steps: number): number | null {
  return value === null ? null : Math.round(value * steps) / steps;
}
