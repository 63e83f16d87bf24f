import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import type { FileSystem } from '../ports/file-system';
import { decodeRecords } from './journal-codec';
import { parseSegmentName } from './run-dir';

/** How far each segment (by file name) has been read, in bytes. An empty map is the beginning. */
export type JournalCursor = ReadonlyMap<string, number>;

/** A stored event and the writer it came from. */
export interface StoredEvent {
  readonly writer: string;
  readonly event: RunEvent;
}

export interface JournalReading {
  readonly entries: readonly StoredEvent[];
  readonly cursor: JournalCursor;
  /** How many records were skipped because they, or their blobs, are damaged. */
  readonly damaged: number;
}

/**
 * What a record holds: the event itself, or where it lies when it is too big for a record. The
 * envelope keeps our names apart from the event's own (some events have a `by`, too).
 */
export interface JournalRecord {
  /** Version of the record's shape. */
  readonly v: number;
  readonly by: string;
  /** With `blob`, only its `type`, `at` and `task`, for people who read the file. */
  readonly event: { readonly type: string };
  /** SHA-256 of the event's JSON, in `blobs/<sha256>.json`. */
  readonly blob?: string;
}

/**
 * The journal in the run folder `dir`, for readers: takes no lock, writes nothing, works with nobody
 * running. `damaged` counts skipped records; an unfinished last record is not counted.
 */
export async function readJournal(
  fs: FileSystem,
  dir: string,
): Promise<{ readonly events: readonly RunEvent[]; readonly damaged: number }> {
  const { entries, damaged } = await readEntries(fs, dir, new Map());
  return { events: entries.map(({ event }) => event), damaged };
}

/**
 * Records behind `cursor`, in file order over all segments. Events of a type or version we do not
 * know come through as they are.
 */
export async function readEntries(
  fs: FileSystem,
  dir: string,
  cursor: JournalCursor,
): Promise<JournalReading> {
  const entries: StoredEvent[] = [];
  const reached = new Map(cursor);
  let damaged = 0;
  for (const name of await listSegments(fs, dir)) {
    const offset = reached.get(name) ?? 0;
    const decoded = decodeRecords(await fs.readFrom(join(dir, name), offset));
    reached.set(name, offset + decoded.consumed);
    damaged += decoded.damaged;
    for (const value of decoded.entries) {
      const entry = isRecord(value) ? await resolve(fs, dir, value) : null;
      if (entry === null) damaged++;
      else entries.push(entry);
    }
  }
  return { entries, cursor: reached, damaged };
}

/** File names of the journal's segments, oldest first. */
export async function listSegments(fs: FileSystem, dir: string): Promise<readonly string[]> {
  return (await fs.list(dir))
    .flatMap((name) => {
      const number = parseSegmentName(name);
      return number === null ? [] : [{ name, number }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ name }) => name);
}

/** Path of the blob that holds the event's JSON. */
export function blobPath(dir: string, sha256: string): string {
  return join(dir, 'blobs', `${sha256}.json`);
}

/** SHA-256 in hex, the name of a blob. */
export function blobName(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

async function resolve(
  fs: FileSystem,
  dir: string,
  record: JournalRecord,
): Promise<StoredEvent | null> {
  if (record.blob === undefined) return { writer: record.by, event: asEvent(record.event) };
  // The name comes from a file: only a hash may become part of a path.
  if (!/^[0-9a-f]{64}$/.test(record.blob)) return null;
  const json = await fs.readText(blobPath(dir, record.blob));
  if (json === null || blobName(json) !== record.blob) return null;
  const event = parseJson(json);
  return isTyped(event) ? { writer: record.by, event: asEvent(event) } : null;
}

/** Trusted by its checksum, not by its shape: a later version may know types that we do not. */
function asEvent(event: { readonly type: string }): RunEvent {
  return event as RunEvent;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is JournalRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('by' in value) || typeof value.by !== 'string') return false;
  if ('blob' in value && typeof value.blob !== 'string') return false;
  return 'event' in value && isTyped(value.event);
}

function isTyped(value: unknown): value is { readonly type: string } {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
