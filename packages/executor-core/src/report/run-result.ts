import { criticalPath } from '../graph/critical-path';
import { buildTaskGraph } from '../graph/task-graph';
import { sumOfCosts } from '../model/cost';
import type { RunEvent } from '../model/event';
import { describeFailure, failureClass } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import { integrationRef } from '../model/landing';
import type { AttemptResult, ParallelExecution, RunResult, TaskResult } from '../model/result';
import type { Plan } from '../model/task';
import type { AttemptStory } from './attempt-story';
import { viewOf } from './fold';
import { totalWorkMs } from './progress';
import type { RunView, TaskView } from './run-view';
import { elapsedMs, needsPerson } from './run-view';

/**
 * The result object of a run, finished or not, from its journal. `now` (epoch ms) stands for the
 * end of a run that goes on. Durations are milliseconds.
 */
export function runResult(plan: Plan, events: Iterable<RunEvent>, now: number): RunResult {
  const view = viewOf(plan, events);
  return {
    schemaVersion: 1,
    parallel_execution: parallelExecution(plan, view, now),
    failures: [...view.tasks.values()].filter(needsPerson).map((task) => failureEntry(view, task)),
    merges: view.landed
      .map((id) => view.tasks.get(id))
      .filter((task) => task !== undefined)
      .filter((task) => task.profile !== null)
      .map((task) => ({
        task: task.id,
        commit: task.commit,
        cached: task.cached,
        resolved: task.resolved,
      })),
    critical_path: measuredCriticalPath(plan, view, now),
    cost: sumOfCosts([...view.tasks.values()].map(({ cost }) => cost)),
    sandbox: Object.fromEntries(
      [...view.tasks.values()].flatMap(({ id, sandbox }) =>
        sandbox === null ? [] : [[id, sandbox]],
      ),
    ),
    landing: landingOf(plan, view),
    target: targetOf(view),
  };
}

/** What has become of the branch the run started on. */
export function targetOf(view: RunView): RunResult['target'] {
  return { ref: view.target, commit: view.targetCommit, held: view.targetHeld };
}

/** Where what has landed up to now is. */
export function landingOf(plan: Plan, view: RunView): RunResult['landing'] {
  const { land: mode, commits = 'linear' } = plan.settings;
  const followed = mode !== 'none' && view.targetHeld === null && view.targetCommit !== null;
  const own = view.id === null ? '' : integrationRef(view.id);
  const ref = followed ? (view.target ?? own) : own;
  const there = (mode === 'target' && followed) || view.landed.length === 0;
  const isOwnBranch = view.id !== null && ref === `refs/heads/parallel/${view.id}`;
  return {
    mode,
    commits,
    ref,
    held: view.targetHeld,
    take: there && !isOwnBranch ? null : `git merge ${ref.replace(/^refs\/heads\//, '')}`,
    pull_requests: view.pullRequests.map(({ branch, base, commit, tasks, url, reason }) => {
      return { branch, base, commit, tasks, url, reason };
    }),
  };
}

/**
 * The chain of tasks, each waiting for the one before (through barriers too), that took longest by
 * measured wall time: attempts, checks and merging included. First task first.
 */
export function measuredCriticalPath(plan: Plan, view: RunView, now: number): readonly TaskId[] {
  const end = view.finishedAt ?? now;
  const measured = (id: TaskId): number | null => {
    const task = view.tasks.get(id);
    return task === undefined ? null : elapsedMs(task, end);
  };
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const path = criticalPath(graph, (task) => measured(task.id) ?? 0);
  return path.filter((id) => measured(id) !== null);
}

/** Where an attempt's output is kept, relative to the repository root. */
export function transcriptPath(run: RunId, task: string, attempt: number): string {
  return `.parallel/runs/${run}/tasks/${task}/attempt-${attempt}/transcript.log`;
}

function parallelExecution(plan: Plan, view: RunView, now: number): ParallelExecution {
  const { settings } = plan;
  const startedAt = view.startedAt ?? now;
  const end = view.finishedAt ?? now;
  const total = Math.max(0, end - startedAt);
  const work = totalWorkMs(view, now);
  const { slotMs, active, peak } = view.concurrency;
  const open = active * Math.max(0, end - (view.lastEventAt ?? end));
  return {
    id: view.id ?? '',
    status: overallStatus(plan, view),
    config: {
      max_concurrency: view.maxAgents,
      fail_fast: settings.failureStrategy === 'fail_fast',
      timeout_ms: settings.timeoutMs,
    },
    tasks: {
      total: plan.tasks.length,
      completed: view.counts.completed,
      failed: view.counts.failed,
      ids: plan.tasks.map((task) => task.id),
    },
    results: Object.fromEntries([...view.tasks].map(([id, task]) => [id, taskResult(task)])),
    timing: {
      started_at: iso(startedAt),
      completed_at: view.finishedAt === null ? null : iso(view.finishedAt),
      total_duration_ms: total,
      sequential_estimate_ms: work,
      speedup_factor: total === 0 ? 1 : hundredths(work / total),
    },
    resources: {
      peak_concurrency: peak,
      avg_concurrency: total === 0 ? 0 : hundredths((slotMs + open) / total),
    },
  };
}

/** A run with some failures is `completed`: `tasks.failed` tells them. See `model/result.ts`. */
function overallStatus(plan: Plan, view: RunView): ParallelExecution['status'] {
  if (view.outcome === null) return 'running';
  const { completed, failed } = view.counts;
  if (failed > 0 && plan.settings.failureStrategy === 'fail_fast') return 'failed';
  if (view.outcome === 'stopped') return 'stopped';
  return completed > 0 || plan.tasks.length === 0 ? 'completed' : 'failed';
}

function taskResult(task: TaskView): TaskResult {
  const started = task.startedAt === null ? {} : { started_at: iso(task.startedAt) };
  switch (task.state) {
    case 'landed':
      return landedResult(task);
    case 'failed':
    case 'conflicted':
      return {
        status: task.state,
        ...started,
        ...(task.finishedAt === null ? {} : { failed_at: iso(task.finishedAt) }),
        error: problemOf(task),
      };
    case 'blocked':
    case 'cancelled':
      return { status: task.state, ...started, error: problemOf(task) };
    case 'pending':
    case 'leasing':
    case 'running':
    case 'verifying':
    case 'queued':
    case 'merging':
    case 'backoff':
      return { status: 'pending', ...started };
  }
}

/** Work from the cache and milestones never started: they begin and end when they landed. */
function landedResult(task: TaskView): TaskResult {
  const end = task.finishedAt ?? 0;
  return {
    status: 'completed',
    started_at: iso(task.startedAt ?? end),
    completed_at: iso(end),
    duration_ms: elapsedMs(task, end) ?? 0,
  };
}

/** One line that says why a task did not land; empty for a task without a problem. */
export function problemOf(task: TaskView): string {
  if (task.state === 'blocked') return `blocked by ${task.blockedBy ?? 'a failed task'}`;
  if (task.state === 'cancelled') return `cancelled by ${task.cancelledBy ?? 'a person'}`;
  if (task.state === 'conflicted') return `conflict in ${task.conflictPaths.join(', ')}`;
  return task.failure === null ? '' : describeFailure(task.failure);
}

function failureEntry(view: RunView, task: TaskView): RunResult['failures'][number] {
  const attempt = task.failedAttempt ?? task.attempt;
  const log =
    view.id === null || task.startedAt === null ? null : transcriptPath(view.id, task.id, attempt);
  return {
    task: task.id,
    attempt,
    kind: task.state === 'conflicted' ? 'conflict' : (task.failure?.kind ?? 'unknown'),
    class: classOf(task),
    message: problemOf(task),
    log,
    salvage: task.salvage ?? task.candidate?.ref ?? null,
    attempts: task.attempts.map((story) => attemptResult(view, task.id, story)),
  };
}

function classOf(task: TaskView): RunResult['failures'][number]['class'] {
  if (task.state === 'conflicted') return 'conflict';
  return task.failure === null ? 'unknown' : failureClass(task.failure);
}

function attemptResult(view: RunView, task: TaskId, story: AttemptStory): AttemptResult {
  const { attempt, failure, salvage, healing, base } = story;
  return {
    attempt,
    class: failureClass(failure),
    kind: failure.kind,
    message: describeFailure(failure),
    log: view.id === null || base === null ? null : transcriptPath(view.id, task, attempt),
    salvage,
    healer:
      healing === null
        ? null
        : { profile: healing.healer, outcome: healing.outcome, note: healing.note },
  };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
