import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import { UserError } from '../model/user-error';
import type { FileSystem } from '../ports/file-system';
import type { DamagedPlace } from './journal-codec';
import { decodeRecords } from './journal-codec';
import type { JournalRecord, VoidedPart } from './journal-record';
import { asEvent, isJournalRecord, isOfLaterVersion, isTyped } from './journal-record';
import { parseSegmentName } from './run-dir';

/** How far each segment (by file name) has been read, in bytes. An empty map is the beginning. */
export type JournalCursor = ReadonlyMap<string, number>;

/** A stored event and the writer it came from. */
export interface StoredEvent {
  readonly writer: string;
  readonly event: RunEvent;
}

/**
 * Something in the journal that could not be read. `unreadable`: an intact record that holds no event,
 * or whose blob is gone or damaged.
 */
export interface JournalDamage {
  /** File name. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  readonly kind: DamagedPlace['kind'] | 'unreadable';
}

/** Records that only a later release can read. */
export interface LaterFormat {
  readonly segment: string;
  /** Version of the record's shape. */
  readonly version: number;
  /** Release that wrote the segment; `null` when it does not say. */
  readonly app: string | null;
}

export interface JournalReading {
  readonly entries: readonly StoredEvent[];
  readonly cursor: JournalCursor;
  /** What was skipped; an unfinished last record is not. */
  readonly damage: readonly JournalDamage[];
  /** Records of a later format, which were skipped too; `null` when there are none. */
  readonly later: LaterFormat | null;
  /** What was read voids records in front of the cursor: what was made of them is not what counts. */
  readonly voidsEarlier: boolean;
}

/** The journal in the run folder `dir`, for readers: takes no lock, writes nothing, works with nobody running. */
export async function readJournal(
  fs: FileSystem,
  dir: string,
): Promise<Pick<JournalReading, 'damage' | 'later'> & { readonly events: readonly RunEvent[] }> {
  const { entries, damage, later } = await readEntries(fs, dir, new Map());
  return { events: entries.map(({ event }) => event), damage, later };
}

/**
 * Records behind `cursor`, in file order over all segments, or over those in front of the segment
 * `before`. Events of a type we do not know come through as they are.
 */
export async function readEntries(
  fs: FileSystem,
  dir: string,
  cursor: JournalCursor,
  before?: string,
): Promise<JournalReading> {
  const reached = new Map(cursor);
  const parts: SegmentPart[] = [];
  const names = await listSegments(fs, dir);
  for (const name of before === undefined ? names : names.slice(0, names.indexOf(before))) {
    const from = cursor.get(name) ?? 0;
    const part = partOf(name, from, await fs.readFrom(join(dir, name), from));
    parts.push(part);
    reached.set(name, part.end);
  }
  const entries: StoredEvent[] = [];
  const damage: JournalDamage[] = parts.flatMap((part) => part.damage);
  const voided = voidedIn(parts);
  const isVoid = (segment: string, by: string, offset: number): boolean =>
    voided.some((part) => part.segment === segment && part.by === by && offset >= part.from);
  for (const { name, records } of parts) {
    for (const { record, offset, bytes } of records) {
      if (record.head !== undefined || isVoid(name, record.by, offset)) continue;
      const event = record.blob === undefined ? record.event : await readBlob(fs, dir, record.blob);
      if (isTyped(event)) entries.push({ writer: record.by, event: asEvent(event) });
      else damage.push({ segment: name, offset, bytes, kind: 'unreadable' });
    }
  }
  const later = parts.find((part) => part.later !== null)?.later ?? null;
  const voidsEarlier = voided.some(({ segment, from }) => from < (cursor.get(segment) ?? 0));
  return { entries, cursor: reached, damage, later, voidsEarlier };
}

/** Throws `UserError` naming the release that wrote what this one cannot read. */
export function refuseLaterFormat(later: LaterFormat | null): void {
  if (later === null) return;
  const { segment, version, app } = later;
  const by = app === null ? 'a later release' : `parallel-executor ${app}`;
  throw new UserError(
    'environment',
    `The journal (${segment}) was written by ${by} in format ${version}, which this release cannot read. Nothing was changed.`,
    app === null ? 'Use the release that wrote it.' : `Use version ${app} or newer.`,
  );
}

/** Where in its segment a record lies, in bytes. */
interface PlacedRecord {
  readonly record: JournalRecord;
  readonly offset: number;
  readonly bytes: number;
}

/** What was read of one segment. */
interface SegmentPart {
  readonly name: string;
  readonly records: readonly PlacedRecord[];
  readonly damage: readonly JournalDamage[];
  readonly later: LaterFormat | null;
  /** Where to go on. */
  readonly end: number;
}

function partOf(name: string, from: number, bytes: Buffer): SegmentPart {
  const decoded = decodeRecords(bytes);
  const damage: JournalDamage[] = decoded.damage.map(({ offset, length, kind }) => {
    return { segment: name, offset: from + offset, bytes: length, kind };
  });
  const records: PlacedRecord[] = [];
  let app: string | null = null;
  let later: LaterFormat | null = null;
  for (const { value, offset, length } of decoded.records) {
    const at = from + offset;
    if (isJournalRecord(value) && value.head !== undefined) app = value.head.app;
    if (isOfLaterVersion(value)) later ??= { segment: name, version: versionOf(value), app };
    else if (isJournalRecord(value)) records.push({ record: value, offset: at, bytes: length });
    else damage.push({ segment: name, offset: at, bytes: length, kind: 'unreadable' });
  }
  return { name, records, damage, later, end: from + decoded.consumed };
}

function versionOf(value: unknown): number {
  return (value as { readonly v: number }).v;
}

/** Records that a later segment says do not count: those `by` a writer in `segment` from `from` on. */
function voidedIn(
  parts: readonly SegmentPart[],
): readonly (VoidedPart & { readonly by: string })[] {
  return parts.flatMap(({ records }) =>
    records.flatMap(({ record: { by, head } }) =>
      head?.void === undefined ? [] : [{ ...head.void, by }],
    ),
  );
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

async function readBlob(fs: FileSystem, dir: string, blob: string): Promise<unknown> {
  // The name comes from a file: only a hash may become part of a path.
  if (!/^[0-9a-f]{64}$/.test(blob)) return null;
  const json = await fs.readText(blobPath(dir, blob));
  if (json === null || blobName(json) !== blob) return null;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
}
