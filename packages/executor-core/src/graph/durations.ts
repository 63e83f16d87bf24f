import type { Task } from '../model/task';
import { meanMs, type LogNormal } from './log-normal';

/** How long one finished attempt took. JSON-safe: it is a line of the history file. */
export interface DurationSample {
  /** Identity of the work: same key, same prompt, files and agent. */
  readonly key: string;
  readonly taskType: string | null;
  readonly project: string | null;
  readonly profile: string;
  readonly ms: number;
  /** Epoch ms of the end. */
  readonly at: number;
  /** `false`: it failed, and says nothing about how long success takes. */
  readonly ok: boolean;
}

/** What is known about durations. */
export interface DurationModel {
  /** Number of successes it was learned from. */
  readonly samples: number;
  /** `null` without any history, and for a milestone. */
  readonly estimate: (task: Task) => LogNormal | null;
  /** Expected ms; `null` without any history, 0 for a milestone. */
  readonly expectedMs: (task: Task) => number | null;
}

/** Only so many of the latest successes of a key count: agents and repositories change. */
export const MOST_SAMPLES = 30;
/** What a level is worth against the one above it, in samples. */
const PRIOR_WEIGHT = 1;
/** Spread assumed where nothing else is known. */
const PRIOR_SIGMA = 0.7;

/**
 * Learns durations from history: log-normal per key, shrunk from level to level towards the more
 * general: the exact task, (task type, project, agent), task type, everything. A level's mean is that of
 * its latest 30 successes with the level above as one more sample, so three runs of a task already
 * outweigh its kind, and a new task is taken for one of its kind. Its variance has one sample of doubt
 * of its own: the levels share their samples, and counting them again at each would feign certainty.
 *
 * @param keyOf identity of a task's work, as in the samples. It is asked only where there is history.
 */
export function learnDurations(
  history: readonly DurationSample[],
  keyOf: (task: Task) => string,
): DurationModel {
  const groups = groupSamples(history);
  const all = groups.get('all') ?? [];
  const general = all.length === 0 ? null : shrink(firstGuess(all), all);
  const fitted = new Map<string, LogNormal>();
  const fit = (key: string | null, above: LogNormal): LogNormal => {
    const own = key === null ? undefined : groups.get(key);
    if (key === null || own === undefined) return above;
    const known = fitted.get(key) ?? shrink(above, own);
    fitted.set(key, known);
    return known;
  };
  const estimate = (task: Task): LogNormal | null => {
    if (general === null || task.profile === null) return null;
    const ofType = fit(typeKey(task.taskType), general);
    const ofKind = fit(kindKey(task.taskType, task.project, task.profile), ofType);
    return fit(exactKey(keyOf(task)), ofKind);
  };
  return {
    samples: all.length,
    estimate,
    expectedMs: (task) => {
      if (task.profile === null) return 0;
      const duration = estimate(task);
      return duration === null ? null : meanMs(duration);
    },
  };
}

/** Logarithms of the latest successes, by each key they count for. */
function groupSamples(history: readonly DurationSample[]): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  const latest = history
    .filter((sample) => sample.ok && Number.isFinite(sample.ms) && sample.ms > 0)
    .sort((a, b) => b.at - a.at);
  for (const { key, taskType, project, profile, ms } of latest) {
    const keys = ['all', typeKey(taskType), kindKey(taskType, project, profile), exactKey(key)];
    for (const name of keys) {
      if (name === null) continue;
      const group = groups.get(name) ?? [];
      if (group.length < MOST_SAMPLES) group.push(Math.log(ms));
      groups.set(name, group);
    }
  }
  return groups;
}

function typeKey(taskType: string | null): string | null {
  return taskType === null ? null : `type ${taskType}`;
}

function kindKey(taskType: string | null, project: string | null, profile: string): string {
  return `kind ${JSON.stringify([taskType, project, profile])}`;
}

function exactKey(key: string): string {
  return `task ${key}`;
}

function firstGuess(logs: readonly number[]): LogNormal {
  return { mu: logs.reduce((sum, log) => sum + log, 0) / logs.length, sigma: PRIOR_SIGMA };
}

function shrink(above: LogNormal, logs: readonly number[]): LogNormal {
  const weight = PRIOR_WEIGHT + logs.length;
  const mu = logs.reduce((sum, log) => sum + log, PRIOR_WEIGHT * above.mu) / weight;
  const spread = logs.reduce(
    (sum, log) => sum + (log - mu) ** 2,
    PRIOR_WEIGHT * (PRIOR_SIGMA ** 2 + (above.mu - mu) ** 2),
  );
  return { mu, sigma: Math.sqrt(spread / weight) };
}
