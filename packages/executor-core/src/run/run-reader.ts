import type { DurationModel } from '../graph/durations';
import type { RunEvent } from '../model/event';
import type { RunId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Plan } from '../model/task';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Processes } from '../ports/processes';
import { knownDurations } from './learn-durations';
import { followJournal } from '../store/follow-journal';
import { readJournal } from '../store/read-journal';
import { listRuns, loadRunPlan, readCurrentRun, runPaths } from '../store/run-dir';

/** A run as it can be seen from any process, also after a crash. Writes nothing, takes no lock. */
export interface RunReader {
  readonly id: RunId;
  readonly plan: Plan;
  events(): Promise<readonly RunEvent[]>;
  /** Calls back with all events so far, then with new ones as they appear; returns a stop function. */
  follow(onEvents: (events: readonly RunEvent[]) => void): () => void;
  /** What earlier runs say about how long its tasks take. */
  durations(): Promise<DurationModel>;
  /** `true` while a process that drives the run lives. */
  ownerAlive(): Promise<boolean>;
  /** Output files of attempts that exist, oldest first; of one task, or of all. */
  transcripts(task?: string): Promise<readonly Transcript[]>;
}

export interface Transcript {
  readonly task: string;
  readonly attempt: number;
  readonly path: string;
}

interface ReaderTools {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: Processes;
}

/** Opens a run for reading: `id`, or the run started last; `null` when there is none. */
export async function openRunReader(
  tools: ReaderTools,
  root: string,
  id?: RunId,
): Promise<RunReader | null> {
  const { fs } = tools;
  const run = id ?? (await readCurrentRun(fs, root)) ?? (await listRuns(fs, root))[0];
  if (run === undefined) return null;
  const plan = await loadRunPlan(fs, root, run);
  if (plan === null) return null;
  const paths = runPaths(root, run);
  const events = async (): Promise<readonly RunEvent[]> =>
    (await readJournal(fs, paths.dir)).events;
  return {
    id: run,
    plan,
    events,
    durations: () => knownDurations(fs, root, plan),
    // A reader writes nothing, so no writer is itself.
    follow: (onEvents) =>
      followJournal({ ...tools, dir: paths.dir, from: new Map(), except: '' }, onEvents),
    ownerAlive: async () =>
      ownersOf(await events()).some((owner) => tools.processes.isAlive(owner)),
    transcripts: async (task) => {
      const found: Transcript[] = [];
      for (const { id: name } of plan.tasks.filter(
        (other) => task === undefined || other.id === task,
      )) {
        const place = paths.task(name);
        for (let attempt = 1; await fs.exists(place.attempt(attempt).dir); attempt += 1) {
          const path = place.attempt(attempt).transcript;
          if (await fs.exists(path)) found.push({ task: name, attempt, path });
        }
      }
      return found;
    },
  };
}

/** Processes that started, joined or resumed the run. */
function ownersOf(events: readonly RunEvent[]): readonly ProcessIdentity[] {
  return events.flatMap((event) =>
    event.type === 'run:started' || event.type === 'run:joined' || event.type === 'run:resumed'
      ? [event.owner]
      : [],
  );
}
