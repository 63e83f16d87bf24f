import { join } from 'node:path';
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
import { followDiskNote, readDiskNote } from '../store/disk-note';
import { readJournal } from '../store/read-journal';
import { listRuns, loadRunPlan, readCurrentRun, runPaths } from '../store/run-dir';

/** A run as it can be seen from any process, also after a crash. Writes nothing, takes no lock. */
export interface RunReader {
  readonly id: RunId;
  readonly plan: Plan;
  events(): Promise<readonly RunEvent[]>;
  /** Calls back with all events so far, then with new ones as they appear; returns a stop function. */
  follow(onEvents: (events: readonly RunEvent[]) => void): () => void;
  /** What could not be read of its journal when it was last read, one sentence each, for people. */
  problems(): Promise<readonly string[]>;
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
  let last: JournalContent | null = null;
  const reading = async (): Promise<JournalContent> => {
    const { events, damage, later } = await readJournal(fs, paths.dir);
    const note = await readDiskNote(fs, paths.dir);
    last = { events: note === null ? events : [...events, note], damage, later };
    return last;
  };
  const events = async (): Promise<readonly RunEvent[]> => (await reading()).events;
  return {
    id: run,
    plan,
    events,
    problems: async () => problemsOf(paths.dir, last ?? (await reading())),
    durations: () => knownDurations(fs, root, plan),
    // A reader writes nothing, so no writer is itself.
    follow: (onEvents) => {
      const from = { dir: paths.dir, from: new Map<string, number>(), except: '' };
      const stopJournal = followJournal({ ...tools, ...from }, onEvents);
      const stopNote = followDiskNote(tools, paths.dir, onEvents);
      return () => {
        stopJournal();
        stopNote();
      };
    },
    ownerAlive: async () =>
      ownersOf(await events()).some((owner) => tools.processes.isAlive(owner)),
    transcripts: async (task) => {
      const found: Transcript[] = [];
      const asked = plan.tasks.filter(({ id: name }) => task === undefined || name === task);
      for (const { id: name } of asked) {
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

type JournalContent = Awaited<ReturnType<typeof readJournal>>;

/** A torn record was never confirmed to anybody, so it is no news. */
function problemsOf(dir: string, { damage, later }: JournalContent): readonly string[] {
  const problems = damage
    .filter(({ kind }) => kind !== 'torn')
    .map(({ segment, offset, bytes, kind }) => {
      const what = kind === 'damaged' ? 'damaged' : 'a record that cannot be read';
      return `The journal is ${what} at ${join(dir, segment)}:${offset} (${bytes} bytes); what was recorded there is left out.`;
    });
  if (later === null) return problems;
  const by = later.app === null ? 'a later release' : `parallel-executor ${later.app}`;
  return [
    ...problems,
    `Part of the journal was written by ${by} in format ${later.version} and is left out: this release cannot read it.`,
  ];
}

/** Processes that started, joined or resumed the run. */
function ownersOf(events: readonly RunEvent[]): readonly ProcessIdentity[] {
  return events.flatMap((event) =>
    event.type === 'run:started' || event.type === 'run:joined' || event.type === 'run:resumed'
      ? [event.owner]
      : [],
  );
}
