import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import { UserError } from '../model/user-error';
import type { Clock } from '../ports/clock';
import type { AppendFile, FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { followJournal } from './follow-journal';
import { encodeRecord, fitsRecord } from './journal-codec';
import { blobName, blobPath, listSegments, readEntries } from './read-journal';
import type { JournalCursor, JournalRecord } from './read-journal';
import { segmentName } from './run-dir';

/** Version of the record's shape; raised only when old readers would misread new records. */
const RECORD_VERSION = 1;

/** Progress, and what a fold learns again from the next fact: nobody acts on these being on disk. */
const FLEETING: ReadonlySet<RunEvent['type']> = new Set([
  'task:progress',
  'task:waiting',
  'task:merging',
  'task:verifying',
]);

export interface JournalOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** The run's folder; made if missing. */
  readonly dir: string;
  /** Unique per open journal, see `writerName`. */
  readonly writer: string;
}

/** `true` when `append` must not resolve before the event is on disk. */
export function isDurable(event: Pick<RunEvent, 'type'>): boolean {
  return !FLEETING.has(event.type);
}

/** A writer's name, `<pid>.<nonce>`: unique even when one process opens a journal twice. */
export function writerName(pid: number): string {
  return `${pid}.${randomBytes(4).toString('hex')}`;
}

/**
 * Opens the journal of a run for appending, beside any number of other writers: each record is one
 * `O_APPEND` write, and their order in the file is the order of events for everyone.
 *
 * `append` rejects with `UserError` when the disk refuses. After a failed sync it refuses for good,
 * because the kernel may have dropped the pages it could not write: nothing more can be promised.
 * `follow` goes on where the last `read` ended (without one, where the journal stood when it was
 * opened), so that nothing falls between the two.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { fs, clock, dir, writer } = options;
  await fs.makeDir(dir);
  const newest = (await listSegments(fs, dir)).at(-1) ?? segmentName(1);
  const file = await fs.openAppend(join(dir, newest));
  let cursor: JournalCursor = (await readEntries(fs, dir, new Map())).cursor;
  const sync = groupCommit(file);
  const stops = new Set<() => void>();
  let tail: Promise<void> = Promise.resolve();
  let closing: Promise<void> | null = null;

  const write = async (events: readonly RunEvent[]): Promise<void> => {
    for (const event of events) file.append(await recordOf(options, event));
  };

  return {
    async append(events) {
      if (closing !== null) throw new Error('The journal is closed.');
      sync.assertHealthy();
      const written = tail.then(() => write(events)).catch(refuse);
      // Later appends go on: this failure is their caller's only if it happens to them as well.
      tail = written.catch(() => undefined);
      await written;
      if (events.some(isDurable)) await sync.commit();
    },
    async read() {
      const reading = await readEntries(fs, dir, new Map());
      cursor = reading.cursor;
      return reading.entries.map(({ event }) => event);
    },
    follow(onEvents) {
      const stop = followJournal({ fs, clock, dir, from: cursor, except: writer }, onEvents);
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close() {
      for (const stop of stops) stop();
      closing ??= tail.then(() => sync.settled()).then(() => file.close());
      return closing;
    },
  };
}

/** The record of an event; one that is too big goes to a blob first, so that no record dangles. */
async function recordOf({ fs, dir, writer }: JournalOptions, event: RunEvent): Promise<Buffer> {
  const whole: JournalRecord = { v: RECORD_VERSION, by: writer, event };
  const text = JSON.stringify(whole);
  if (fitsRecord(text)) return encodeRecord(text);
  const json = JSON.stringify(event);
  const blob = blobName(json);
  const path = blobPath(dir, blob);
  if (!(await fs.exists(path))) {
    await fs.makeDir(join(dir, 'blobs'));
    await fs.writeAtomic(path, json);
  }
  const { type, at } = event;
  const stub = 'task' in event ? { type, at, task: event.task } : { type, at };
  return encodeRecord(JSON.stringify({ ...whole, event: stub, blob }));
}

interface GroupCommit {
  /** Resolves once everything appended before the call is on disk. */
  commit(): Promise<void>;
  /** Throws when an earlier sync failed. */
  assertHealthy(): void;
  /** Resolves when no sync is under way; never rejects. */
  settled(): Promise<void>;
}

/** Callers that arrive while a sync is under way share the next one: 25 agents, two fdatasyncs. */
function groupCommit(file: AppendFile): GroupCommit {
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  let broken: UserError | null = null;

  const assertHealthy = (): void => {
    if (broken !== null) throw broken;
  };
  const run = async (): Promise<void> => {
    next = null;
    assertHealthy();
    await file.sync().catch((error: unknown) => {
      broken = refusal(error);
      throw broken;
    });
  };
  return {
    assertHealthy,
    commit() {
      if (next === null) {
        next = underWay.then(run);
        underWay = next.catch(() => undefined);
      }
      return next;
    },
    settled: () => underWay,
  };
}

function refuse(error: unknown): never {
  throw refusal(error);
}

function refusal(error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  return new UserError(
    'environment',
    `The journal cannot be written: ${why}`,
    'Make room on the disk or mend it, then continue with `parallel-cli resume`.',
  );
}
