import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import { UserError } from '../model/user-error';
import type { FileSystem } from '../ports/file-system';
import type { DamagedPlace, DecodedRecord } from './journal-codec';
import { decodeRecords } from './journal-codec';
import type { SegmentHead, VoidedPart } from './journal-record';
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
  for (const { name, from, records } of parts) {
    for (const { value, offset, length } of records) {
      if (isOfLaterVersion(value)) continue;
      const record = isJournalRecord(value) ? value : null;
      if (record?.head !== undefined) continue;
      if (record !== null && isVoid(name, record.by, from + offset)) continue;
      const event =
        record?.blob === undefined ? record?.event : await readBlob(fs, dir, record.blob);
      if (record !== null && isTyped(event))
        entries.push({ writer: record.by, event: asEvent(event) });
      else damage.push({ segment: name, offset: from + offset, bytes: length, kind: 'unreadable' });
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

/** What was read of one segment, from the byte `from` on. */
interface SegmentPart {
  readonly name: string;
  readonly from: number;
  readonly records: readonly DecodedRecord[];
  /** Heads among the records, with their writer. */
  readonly heads: readonly (SegmentHead & { readonly by: string })[];
  readonly damage: readonly JournalDamage[];
  readonly later: LaterFormat | null;
  /** Where to go on. */
  readonly end: number;
}

function partOf(name: string, from: number, bytes: Buffer): SegmentPart {
  const { records, damage: places, consumed } = decodeRecords(bytes);
  const damage: JournalDamage[] = places.map(({ offset, length, kind }) => {
    return { segment: name, offset: from + offset, bytes: length, kind };
  });
  const heads: (SegmentHead & { readonly by: string })[] = [];
  let later: LaterFormat | null = null;
  for (const { value } of records) {
    if (isOfLaterVersion(value)) {
      later ??= { segment: name, version: value.v, app: heads.at(-1)?.app ?? null };
    } else if (isJournalRecord(value) && value.head !== undefined) {
      heads.push({ ...value.head, by: value.by });
    }
  }
  return { name, from, records, heads, damage, later, end: from + consumed };
}

/** Records that a later segment says do not count: those `by` a writer in `segment` from `from` on. */
function voidedIn(
  parts: readonly SegmentPart[],
): readonly (VoidedPart & { readonly by: string })[] {
  return parts.flatMap(({ heads }) =>
    heads.flatMap(({ by, void: part }) => (part === undefined ? [] : [{ ...part, by }])),
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
