import { hash } from 'node:crypto';

/**
 * One record of the journal file:
 * `RS (0x1E)` · 8 hex digits, the start of the JSON's SHA-1 · `SP` · JSON in UTF-8 · `LF`.
 *
 * RS never occurs inside JSON text, so a reader finds the start of the next record whatever happened
 * to the one before; the checksum tells a whole record from a torn one (compare RFC 7464).
 */
const RS = 0x1e;
const LF = 0x0a;
const SP = 0x20;
const CHECKSUM_LENGTH = 8;
/** RS, checksum, SP and LF. */
const FRAME_LENGTH = CHECKSUM_LENGTH + 3;

/**
 * Most bytes of one record, frame included. Up to this size a killed writer was never seen to leave
 * half a record: the kernel takes it in one piece.
 */
export const RECORD_CAP = 4096;

/**
 * A place that is no record. `torn`: the start of one whose writer was stopped half-way (a kill, a full
 * disk); nobody was ever told that it was stored. `damaged`: bytes that were whole once.
 */
export interface DamagedPlace {
  /** In bytes from the start of what was decoded. */
  readonly offset: number;
  readonly length: number;
  readonly kind: 'torn' | 'damaged';
}

export interface DecodedRecord {
  /** Parsed JSON. */
  readonly value: unknown;
  /** Of its first byte, from the start of what was decoded. */
  readonly offset: number;
  /** In bytes, frame included. */
  readonly length: number;
}

export interface Decoded {
  /** The intact records, in order. */
  readonly records: readonly DecodedRecord[];
  /**
   * Where to go on reading: behind the last thing that is settled. What follows is at most the start
   * of a record that is still being written.
   */
  readonly consumed: number;
  readonly damage: readonly DamagedPlace[];
}

/** `true` when `json` can be stored as one record. */
export function fitsRecord(json: string): boolean {
  return Buffer.byteLength(json) + FRAME_LENGTH <= RECORD_CAP;
}

/**
 * The bytes of one record. `json` must be what `JSON.stringify` gives without indentation (no control
 * characters) and fit the cap: throws `RangeError` otherwise.
 */
export function encodeRecord(json: string): Buffer {
  if (!fitsRecord(json)) throw new RangeError(`A record may have ${RECORD_CAP} bytes at most.`);
  const body = Buffer.from(json);
  if (body.includes(RS) || body.includes(LF)) {
    throw new RangeError('A record may not contain raw control characters.');
  }
  return Buffer.from(`\x1e${checksum(body)} ${json}\n`);
}

/**
 * The intact records in `bytes`, which may start and end anywhere in a journal file. Anything else is
 * skipped and told as damage; it never throws, and never returns what was not encoded (up to the
 * checksum's 32 bits).
 */
export function decodeRecords(bytes: Buffer): Decoded {
  const records: DecodedRecord[] = [];
  const damage: DamagedPlace[] = [];
  const skip = (offset: number, end: number, kind: DamagedPlace['kind']): void => {
    damage.push({ offset, length: end - offset, kind });
  };
  let consumed = 0;
  let start = bytes.indexOf(RS);
  // Bytes in front of the first RS belong to nobody; without any RS there may still come one.
  if (start > 0) {
    skip(0, start, 'damaged');
    consumed = start;
  }
  while (start !== -1) {
    const next = bytes.indexOf(RS, start + 1);
    const end = next === -1 ? bytes.length : next;
    const stop = bytes.indexOf(LF, start);
    const isClosed = stop !== -1 && stop < end;
    const found = isClosed ? decodeBody(bytes, start + 1, stop) : null;
    if (found !== null) {
      records.push({ value: found.value, offset: start, length: stop + 1 - start });
      // A neighbour that lost its RS hangs behind our LF.
      if (next !== -1 && stop + 1 < end) skip(stop + 1, end, 'damaged');
      consumed = next === -1 ? stop + 1 : end;
    } else if (next !== -1 || isClosed || end - start >= RECORD_CAP) {
      consumed = next === -1 && isClosed ? stop + 1 : end;
      skip(start, consumed, isClosed || lostItsEnd(bytes, start, end) ? 'damaged' : 'torn');
    }
    start = next;
  }
  return { records, consumed, damage };
}

/** Only the closing LF of this record is wrong: it was written whole. */
function lostItsEnd(bytes: Buffer, start: number, end: number): boolean {
  return decodeBody(bytes, start + 1, end - 1) !== null;
}

function decodeBody(bytes: Buffer, from: number, to: number): { readonly value: unknown } | null {
  const body = from + CHECKSUM_LENGTH + 1;
  if (to < body || bytes[body - 1] !== SP) return null;
  // Three calls into the runtime for each of 100,000 records are what reading costs: no more of them.
  const sum = bytes.toString('latin1', from, body - 1);
  if (sum !== checksum(bytes.subarray(body, to))) return null;
  try {
    return { value: JSON.parse(bytes.toString('utf8', body, to)) as unknown };
  } catch {
    return null;
  }
}

function checksum(body: Buffer): string {
  return hash('sha1', body).slice(0, CHECKSUM_LENGTH);
}
