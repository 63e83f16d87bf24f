import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import type { FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { keepDamagedParts } from './damaged-parts';
import { followJournal } from './follow-journal';
import { decodeRecords, encodeRecord, fitsRecord, RECORD_CAP } from './journal-codec';
import { isOfLaterVersion, RECORD_VERSION } from './journal-record';
import type { JournalRecord } from './journal-record';
import { refusalOf } from './journal-refusal';
import { blobName, blobPath, listSegments, readEntries, refuseLaterFormat } from './read-journal';
import type { JournalCursor, JournalReading } from './read-journal';
import type { Segments, SegmentsOptions } from './segments';
import { openSegments } from './segments';

/** Progress, and what a fold learns again from the next fact: nobody acts on these being on disk. */
const FLEETING: ReadonlySet<RunEvent['type']> = new Set([
  'task:progress',
  'task:waiting',
  'task:merging',
  'task:verifying',
]);

/** `dir` is made if missing; `writer` is unique per open journal, see `writerName`. */
export type JournalOptions = SegmentsOptions;

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
 * `O_APPEND` write, and their order in the file is the order of events for everyone. Rejects with
 * `UserError`, before anything is changed, when a later release wrote what this one cannot read.
 *
 * `append` rejects with `JournalRefusal` when the disk refuses: then none of what it was given counts,
 * and it may be given again. The next append tries a fresh segment.
 * `follow` goes on where the last `read` ended (without one, where the journal stood when it was
 * opened), so that nothing falls between the two.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { fs, clock, dir, writer } = options;
  await fs.makeDir(dir);
  let cursor = await endOf(fs, dir);
  const segments = await openSegments(options).catch((error: unknown) => {
    throw refusalOf(error);
  });
  const stops = new Set<() => void>();
  let tail: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;

  const readOn = async (from: JournalCursor): Promise<JournalReading> => {
    const reading = await readForWriter(fs, dir, from);
    cursor = reading.cursor;
    return reading;
  };

  return {
    async append(events) {
      if (closing !== null) throw new Error('The journal is closed.');
      const written = tail.then(() => writeEvents(options, segments, events));
      // Later appends go on: this failure is their caller's only if it happens to them as well.
      tail = written.catch(() => undefined);
      try {
        const { synced } = await written;
        await synced;
      } catch (error) {
        throw refusalOf(error);
      }
    },
    async read() {
      const reading = await readOn(new Map());
      return reading.entries.map(({ event }) => event);
    },
    async readBehind(from) {
      const reading = await readOn(from);
      return reading.voidsEarlier ? null : reading.entries.map(({ event }) => event);
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
      closing ??= tail.then(() => segments.close());
      return closing;
    },
  };
}

/** Throws `UserError` when a later release wrote there; what is damaged is kept aside. */
async function readForWriter(
  fs: FileSystem,
  dir: string,
  from: JournalCursor,
): Promise<JournalReading> {
  const reading = await readEntries(fs, dir, from);
  refuseLaterFormat(reading.later);
  // A copy of what is lost to us anyhow: not worth failing for.
  await keepDamagedParts(fs, dir, reading.damage).catch(() => undefined);
  return reading;
}

/** `synced` settles once the disk has confirmed what must be confirmed. */
async function writeEvents(
  options: JournalOptions,
  segments: Segments,
  events: readonly RunEvent[],
): Promise<{ readonly synced: Promise<void> }> {
  const records: Buffer[] = [];
  for (const event of events) records.push(await recordOf(options, event));
  const segment = await segments.ready();
  for (const record of records) segment.append(record);
  return { synced: events.some(isDurable) ? segment.commit() : Promise.resolve() };
}

/**
 * Where the journal ends, without reading all of it: the last records of each segment tell. Throws
 * `UserError` when they are of a later release.
 */
async function endOf(fs: FileSystem, dir: string): Promise<JournalCursor> {
  const end = new Map<string, number>();
  for (const name of await listSegments(fs, dir)) {
    const path = join(dir, name);
    // The last place at which a record that is being written may have begun lies behind this byte.
    const from = Math.max(0, ((await fs.size(path)) ?? 0) - RECORD_CAP);
    const { records, consumed } = decodeRecords(await fs.readFrom(path, from));
    end.set(name, from + consumed);
    if (!records.some(({ value }) => isOfLaterVersion(value))) continue;
    refuseLaterFormat((await readEntries(fs, dir, new Map())).later);
  }
  return end;
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
