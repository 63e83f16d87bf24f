import { simulateMakespan } from '../graph/list-schedule';
import { drawMs, type LogNormal } from '../graph/log-normal';
import type { RunView, TaskView } from './run-view';
import { isTaskSettled } from './run-view';

/** Time until the run is done, in ms: as likely less as more, and what it hardly exceeds. */
export interface Eta {
  readonly p50Ms: number;
  readonly p90Ms: number;
}

const MOST_PLAYS = 150;
/** Tasks played in all: a large plan is played less often, so that a panel stays quick. */
const MOST_TASKS = 20_000;
/** The spread of what was learned is a little too narrow: three quarters of runs end before its P90. */
const WIDER = 1.1;

/**
 * Plays what is left of the run through, by list scheduling on the agents it may use, with durations
 * drawn anew each time; one that runs is drawn among those longer than it has taken. Leases are not
 * modelled. Equal views give equal answers.
 *
 * @param estimate how long a task lasts from its start; `null` where nothing is known.
 * @returns `null` while a task that is left has no estimate.
 */
export function estimateRest(
  view: RunView,
  now: number,
  estimate: (task: TaskView) => LogNormal | null,
): Eta | null {
  const left = [...view.tasks.values()].map((task) => restOf(task, now, estimate));
  if (left.includes('unknown')) return null;
  const known = left.filter((rest) => rest !== 'unknown');
  const isVague = known.some((rest) => rest !== null && rest.duration.sigma > 0);
  const plays = isVague
    ? Math.max(1, Math.min(MOST_PLAYS, Math.floor(MOST_TASKS / Math.max(1, known.length))))
    : 1;
  const random = randomSource();
  const times: number[] = [];
  for (let play = 0; play < plays; play += 1) {
    const work = view.order.predecessors.map((after, node) => {
      const rest = known[node] ?? null;
      if (rest === null) return { duration: 0, after };
      return { duration: drawMs(rest.duration, random(), rest.elapsed) - rest.elapsed, after };
    });
    times.push(simulateMakespan(work, Math.max(1, view.maxAgents)) ?? 0);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.ceil(share * times.length) - 1] ?? 0;
  const wide = isVague ? at(0.9) * WIDER : at(0.9);
  return { p50Ms: Math.round(at(0.5)), p90Ms: Math.round(wide) };
}

interface Rest {
  readonly duration: LogNormal;
  /** Ms it has run already. */
  readonly elapsed: number;
}

/** What is left of a task; `null`: nothing. */
function restOf(
  task: TaskView,
  now: number,
  estimate: (task: TaskView) => LogNormal | null,
): Rest | 'unknown' | null {
  const isMade = task.state === 'queued' || task.state === 'merging';
  if (isTaskSettled(task) || isMade || task.profile === null) return null;
  const duration = estimate(task);
  if (duration === null) return 'unknown';
  const runs = task.state === 'running' || task.state === 'verifying';
  const since = runs ? task.attemptStartedAt : null;
  return { duration, elapsed: since === null ? 0 : Math.max(0, now - since) };
}

/** Uniform numbers, the same ones each time (mulberry32): a panel must not flicker. */
function randomSource(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
