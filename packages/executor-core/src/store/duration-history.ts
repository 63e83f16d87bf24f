import { join } from 'node:path';
import { MOST_SAMPLES, type DurationSample } from '../graph/durations';
import type { FileSystem } from '../ports/file-system';
import { statePaths } from './run-dir';

/** The file is rewritten when it grows beyond this. */
const MAX_BYTES = 1024 * 1024;
/** Samples that survive a rewrite, the latest ones. */
const MOST_KEPT = 2000;

/** How long attempts took in earlier runs of this repository. */
export interface DurationHistory {
  /** Every readable sample, oldest first; none when there is no history. */
  read(): Promise<readonly DurationSample[]>;
  add(sample: DurationSample): Promise<void>;
}

/**
 * `.parallel/durations.jsonl`: one sample per line, appended in one write, so several processes may add
 * at once. A line that was torn, or that a newer version wrote, is skipped. The file is kept small by
 * leaving out what would not be learned from; a sample that another process adds in that instant may be
 * lost, which costs nothing but itself.
 */
export function openDurationHistory(fs: FileSystem, root: string): DurationHistory {
  const { stateDir } = statePaths(root);
  const path = join(stateDir, 'durations.jsonl');
  const read = async (): Promise<readonly DurationSample[]> =>
    ((await fs.readText(path)) ?? '').split('\n').flatMap(parseSample);
  return {
    read,
    async add(sample) {
      await fs.makeDir(stateDir);
      if (((await fs.size(path)) ?? 0) > MAX_BYTES) {
        await fs.writeAtomic(
          path,
          worthKeeping(await read())
            .map(lineOf)
            .join(''),
        );
      }
      const file = await fs.openAppend(path);
      try {
        // It begins with a line break too: after a torn line it is still a line of its own.
        file.append(Buffer.from(`\n${lineOf(sample)}`));
      } finally {
        await file.close();
      }
    },
  };
}

function lineOf(sample: DurationSample): string {
  return `${JSON.stringify(sample)}\n`;
}

function parseSample(line: string): readonly DurationSample[] {
  if (line === '') return [];
  try {
    const sample: unknown = JSON.parse(line);
    return isSample(sample) ? [sample] : [];
  } catch {
    return [];
  }
}

function isSample(value: unknown): value is DurationSample {
  if (typeof value !== 'object' || value === null) return false;
  const sample = value as Partial<Record<keyof DurationSample, unknown>>;
  return (
    typeof sample.key === 'string' &&
    typeof sample.profile === 'string' &&
    isTextOrNull(sample.taskType) &&
    isTextOrNull(sample.project) &&
    typeof sample.ms === 'number' &&
    typeof sample.at === 'number' &&
    typeof sample.ok === 'boolean'
  );
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

/** The latest samples of each task, successes and failures apart, and no more than 2,000 in all. */
function worthKeeping(samples: readonly DurationSample[]): readonly DurationSample[] {
  const counts = new Map<string, number>();
  const kept: DurationSample[] = [];
  for (const sample of [...samples].reverse()) {
    const key = `${sample.ok ? 'ok' : 'failed'} ${sample.key}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    if (count < MOST_SAMPLES && kept.length < MOST_KEPT) kept.push(sample);
  }
  return kept.reverse();
}
