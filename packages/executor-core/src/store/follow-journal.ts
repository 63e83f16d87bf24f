import type { RunEvent } from '../model/event';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { readEntries } from './read-journal';
import type { JournalCursor, JournalReading } from './read-journal';

/** Hints may be missing (network file systems, watches used up): so often we look without one. */
const POLL_MS = 250;

export interface FollowOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly dir: string;
  readonly from: JournalCursor;
  /** Writer whose own records are left out. */
  readonly except: string;
}

/**
 * Calls back with the records behind `from` as they appear, in file order, each once, never two calls
 * at a time. The folder's change hint makes it quick, the poll makes it certain. A read that fails is
 * tried again at the next poll. Nothing is called once the returned function was.
 */
export function followJournal(
  { fs, clock, dir, from, except }: FollowOptions,
  onEvents: (events: readonly RunEvent[]) => void,
): () => void {
  let cursor = from;
  let stopped = false;
  let looking = false;
  let lookAgain = false;
  let cancelPoll = (): void => undefined;

  const isStopped = (): boolean => stopped;
  const deliver = ({ entries, cursor: reached }: JournalReading): void => {
    cursor = reached;
    const events = entries.filter(({ writer }) => writer !== except).map(({ event }) => event);
    if (events.length > 0) onEvents(events);
  };
  const look = async (): Promise<void> => {
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = true;
    cancelPoll();
    do {
      lookAgain = false;
      const reading = await readEntries(fs, dir, cursor).catch(() => null);
      if (isStopped()) return;
      if (reading !== null) deliver(reading);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- a hint sets it meanwhile
    } while (lookAgain && !isStopped());
    looking = false;
    if (!isStopped()) cancelPoll = clock.after(POLL_MS, start);
  };
  const start = (): void => {
    void look();
  };
  const unwatch = fs.watch(dir, start);
  start();

  return () => {
    stopped = true;
    cancelPoll();
    unwatch();
  };
}
