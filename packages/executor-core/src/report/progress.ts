import { quantileMs, type LogNormal } from '../graph/log-normal';
import { estimateRest, type Eta } from './eta';
import type { RunView, TaskView } from './run-view';
import { elapsedMs, workedMs } from './run-view';

/** An unfinished attempt is never shown as more done than this on the strength of history alone. */
const GUESS_CAP = 95;
const VERIFYING_AT_LEAST = 95;

/**
 * Per cent done of a task: what the agent reported; else elapsed time over the median duration
 * that earlier runs taught, else that of the finished tasks of its profile (else of all); `null` when nothing is known.
 */
export function percentDone(view: RunView, task: TaskView, now: number): number | null {
  switch (task.state) {
    case 'landed':
    case 'merging':
    case 'queued':
      return 100;
    case 'verifying':
      return Math.max(VERIFYING_AT_LEAST, task.progress ?? 0);
    case 'running':
      return task.progress ?? guessed(view, task, now);
    case 'pending':
    case 'leasing':
    case 'backoff':
    case 'blocked':
      return 0;
    case 'failed':
    case 'conflicted':
    case 'cancelled':
      return task.progress;
  }
}

/**
 * Time until the run is done, from what earlier runs say about its tasks, else from the median durations
 * of what it has finished itself. `null` without any history, while paused, and before the start; 0 once
 * finished. An estimate, not a promise: leases are not modelled.
 */
export function etaOf(view: RunView, now: number): Eta | null {
  if (view.outcome !== null) return { p50Ms: 0, p90Ms: 0 };
  if (view.startedAt === null || view.mode === 'paused') return null;
  const own = durationsByProfile(view);
  return estimateRest(view, now, (task) => view.expected.get(task.id) ?? typicalOf(own, task));
}

/** The middle of `etaOf`. */
export function etaMs(view: RunView, now: number): number | null {
  return etaOf(view, now)?.p50Ms ?? null;
}

/** As long as the finished tasks of its profile took, and no doubt about it: there are too few to tell. */
function typicalOf(own: History, task: TaskView): LogNormal | null {
  const typical = expectedMs(own, task);
  return typical === null ? null : { mu: Math.log(Math.max(1, typical)), sigma: 0 };
}

/** How many times faster than one agent at a time: work done so far over time passed; `null` at the start. */
export function speedup(view: RunView, now: number): number | null {
  if (view.startedAt === null) return null;
  const elapsed = (view.finishedAt ?? now) - view.startedAt;
  return elapsed <= 0 ? null : totalWorkMs(view, now) / elapsed;
}

/** Time all agents together have worked. */
export function totalWorkMs(view: RunView, now: number): number {
  const end = view.finishedAt ?? now;
  return [...view.tasks.values()].reduce((sum, task) => sum + workedMs(task, end), 0);
}

interface History {
  readonly all: readonly number[];
  readonly byProfile: ReadonlyMap<string, readonly number[]>;
}

function durationsByProfile(view: RunView): History {
  const all: number[] = [];
  const byProfile = new Map<string, number[]>();
  for (const task of view.tasks.values()) {
    if (task.state !== 'landed' || task.cached || task.profile === null) continue;
    const duration = elapsedMs(task, 0);
    if (duration === null) continue;
    all.push(duration);
    const same = byProfile.get(task.profile) ?? [];
    byProfile.set(task.profile, [...same, duration]);
  }
  return { all, byProfile };
}

function expectedMs(history: History, task: TaskView): number | null {
  if (task.profile === null) return 0;
  return median(history.byProfile.get(task.profile) ?? history.all);
}

function guessed(view: RunView, task: TaskView, now: number): number | null {
  const learned = view.expected.get(task.id);
  const expected =
    learned === undefined ? expectedMs(durationsByProfile(view), task) : quantileMs(learned, 0.5);
  if (expected === null || expected <= 0 || task.attemptStartedAt === null) return null;
  const share = (100 * (now - task.attemptStartedAt)) / expected;
  return Math.min(GUESS_CAP, Math.max(0, Math.round(share)));
}

/** The middle value (mean of the two middle ones); `null` for none. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
