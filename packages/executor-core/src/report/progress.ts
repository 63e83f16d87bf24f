import type { TaskId } from '../model/ids';
import type { RunView, TaskView } from './run-view';
import { elapsedMs, isTaskSettled, workedMs } from './run-view';

/** An unfinished attempt is never shown as more done than this on the strength of history alone. */
const GUESS_CAP = 95;
const VERIFYING_AT_LEAST = 95;

/**
 * Per cent done of a task: what the agent reported; else elapsed time over the median duration of
 * the finished tasks of its profile (else of all); `null` when nothing is known.
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
 * Time until the run is done, from the median durations of what is finished: per level, the longer
 * of its longest task and its work over the agents that can share it. `null` without history, while
 * paused, and before the start; 0 once finished. An estimate, not a promise: leases are not modelled.
 */
export function etaMs(view: RunView, now: number): number | null {
  if (view.outcome !== null) return 0;
  if (view.startedAt === null || view.mode === 'paused') return null;
  const history = durationsByProfile(view);
  if (history.all.length === 0) return null;
  return view.levels.reduce((sum, level) => sum + levelMs(view, level, history, now), 0);
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
  const expected = expectedMs(durationsByProfile(view), task);
  if (expected === null || expected <= 0 || task.attemptStartedAt === null) return null;
  const share = (100 * (now - task.attemptStartedAt)) / expected;
  return Math.min(GUESS_CAP, Math.max(0, Math.round(share)));
}

function levelMs(view: RunView, level: readonly TaskId[], history: History, now: number): number {
  const left = level
    .map((id) => view.tasks.get(id))
    .filter((task) => task !== undefined)
    .filter((task) => !isTaskSettled(task))
    .map((task) => remainingMs(history, task, now));
  if (left.length === 0) return 0;
  const work = left.reduce((sum, ms) => sum + ms, 0);
  return Math.max(...left, work / Math.max(1, Math.min(view.maxAgents, left.length)));
}

function remainingMs(history: History, task: TaskView, now: number): number {
  const expected = expectedMs(history, task) ?? 0;
  const waiting = task.state === 'pending' || task.state === 'leasing' || task.state === 'backoff';
  if (waiting || task.attemptStartedAt === null) return expected;
  return Math.max(0, expected - (now - task.attemptStartedAt));
}

/** The middle value (mean of the two middle ones); `null` for none. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
