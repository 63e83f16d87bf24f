import type { RunEvent } from '../model/event';
import { VERSION } from '../model/version';

/** Version of the record's shape; raised only when old readers would misread new records. */
export const RECORD_VERSION = 1;

/**
 * What a record holds: the event itself, or where it lies when it is too big for a record. The
 * envelope keeps our names apart from the event's own (some events have a `by`, too).
 */
export interface JournalRecord {
  /** Version of the record's shape. */
  readonly v: number;
  /** The writer, see `writerName`. */
  readonly by: string;
  /** With `blob`, only its `type`, `at` and `task`, for people who read the file. */
  readonly event: { readonly type: string };
  /** SHA-256 of the event's JSON, in `blobs/<sha256>.json`. */
  readonly blob?: string;
  /** Only in the first record of a segment, which holds no event of the run. */
  readonly head?: SegmentHead;
}

/** The first record of a segment: who began it, and what it follows. */
export interface SegmentHead {
  /** Release that began the segment. */
  readonly app: string;
  /** File name of the segment before it, and its size then; `null` in the first one. */
  readonly follows: { readonly segment: string; readonly bytes: number } | null;
  /** `full`: the one before had reached its size; `failed`: the disk had refused its writer. */
  readonly cause: 'first' | 'full' | 'failed';
  /**
   * Records of this head's writer that do not count, because the disk never confirmed them: those in
   * `segment` from the byte `from` on. Whoever wanted them stored was told so and wrote them again.
   */
  readonly void?: VoidedPart;
}

export interface VoidedPart {
  readonly segment: string;
  readonly from: number;
}

/** JSON of a segment's first record. Readers that know no heads see an event of a type unknown to them. */
export function headJson(by: string, at: number, head: Omit<SegmentHead, 'app'>): string {
  const event = { type: 'journal:segment', at };
  return JSON.stringify({ v: RECORD_VERSION, by, head: { app: VERSION, ...head }, event });
}

/** Structural check of a decoded record: trusted by its checksum, but it may be of another version. */
export function isJournalRecord(value: unknown): value is JournalRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('by' in value) || typeof value.by !== 'string') return false;
  if ('blob' in value && typeof value.blob !== 'string') return false;
  if ('head' in value && !isHead(value.head)) return false;
  return 'event' in value && isTyped(value.event);
}

/** `true` for a record whose shape only a later release knows. */
export function isOfLaterVersion(value: unknown): value is { readonly v: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'v' in value &&
    typeof value.v === 'number' &&
    value.v > RECORD_VERSION
  );
}

/** `true` for what may be an event, of this version or a later one. */
export function isTyped(value: unknown): value is { readonly type: string } {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}

/** Trusted by its checksum, not by its shape: a later version may know types that we do not. */
export function asEvent(event: { readonly type: string }): RunEvent {
  return event as RunEvent;
}

function isHead(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!('app' in value) || typeof value.app !== 'string') return false;
  return !('void' in value) || isVoidedPart(value.void);
}

function isVoidedPart(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!('segment' in value) || typeof value.segment !== 'string') return false;
  return 'from' in value && typeof value.from === 'number';
}
