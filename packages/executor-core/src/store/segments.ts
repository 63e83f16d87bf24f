import { join } from 'node:path';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { encodeRecord } from './journal-codec';
import type { SegmentHead } from './journal-record';
import { headJson } from './journal-record';
import { refusalOf } from './journal-refusal';
import { listSegments } from './read-journal';
import { parseSegmentName, segmentName } from './run-dir';
import type { SegmentFile } from './segment-file';
import { segmentFile } from './segment-file';

/** A segment of this size (some 15,000 events) is followed by the next one: more is never read behind a snapshot. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

export interface SegmentsOptions {
  readonly fs: FileSystem;
  readonly clock: Clock;
  /** The run's folder; it exists. */
  readonly dir: string;
  readonly writer: string;
  /** Default: `SEGMENT_BYTES`. */
  readonly segmentBytes?: number | undefined;
  /** Called when this writer goes on in the segment after a full one; `segment` is its file name. */
  readonly onSegment?: ((segment: string) => void) | undefined;
}

/** Where one writer appends. */
export interface Segments {
  /**
   * The segment to append to now: the newest one, after the size or a refusal of the disk ended the
   * last one. Rejects with `JournalRefusal` while the disk refuses; asked again, it tries again. One
   * call at a time.
   */
  ready(): Promise<SegmentFile>;
  close(): Promise<void>;
}

/**
 * Opens the newest segment, or begins the first. Segments are begun by whoever finds the last one
 * full, as one step with their first record; nobody is asked. A writer that has not seen it yet adds to
 * the older segment, and its records count where they are: what it answers to stands in front of them.
 */
export async function openSegments(options: SegmentsOptions): Promise<Segments> {
  const { fs, dir } = options;
  const newest = (await listSegments(fs, dir)).at(-1);
  let current = await (newest === undefined ? firstSegment(options) : openSegment(options, newest));

  const retire = async (old: SegmentFile, next: string): Promise<void> => {
    await old.commit();
    current = await openSegment(options, next);
    await old.close();
    options.onSegment?.(next);
  };
  return {
    async ready() {
      if (current.failure !== null) {
        const old = current;
        current = await freshSegment(options, old);
        await old.close();
        return current;
      }
      let next = await following(options, current.name);
      while (next !== null) {
        await retire(current, next);
        next = await following(options, current.name);
      }
      return current;
    },
    close: () => current.close(),
  };
}

async function openSegment({ fs, dir }: SegmentsOptions, name: string): Promise<SegmentFile> {
  const path = join(dir, name);
  return segmentFile(name, await fs.openAppend(path), async () => (await fs.size(path)) ?? 0);
}

/** Two processes may begin it at once: both append, and a second head does no harm. */
async function firstSegment(options: SegmentsOptions): Promise<SegmentFile> {
  const file = await openSegment(options, segmentName(1));
  file.append(headRecord(options, { follows: null, cause: 'first' }));
  await options.fs.syncFolder(options.dir);
  return file;
}

/** Name of the segment to go on in, which is there; `null` to stay. */
async function following(options: SegmentsOptions, name: string): Promise<string | null> {
  const { fs, dir, segmentBytes = SEGMENT_BYTES } = options;
  const next = segmentName(numberOf(name) + 1);
  if (await fs.exists(join(dir, next))) return next;
  const bytes = (await fs.size(join(dir, name))) ?? 0;
  if (bytes < segmentBytes) return null;
  const head: Head = { follows: { segment: name, bytes }, cause: 'full' };
  await begin(options, next, head).catch((error: unknown) => {
    // No room for a new file: the old one may still take a record, and says so if not.
    if (refusalOf(error).trouble === null) throw error;
  });
  return (await fs.exists(join(dir, next))) ? next : null;
}

/** A segment of this writer's own, behind all others, that voids what the disk never confirmed. */
async function freshSegment(options: SegmentsOptions, old: SegmentFile): Promise<SegmentFile> {
  const { fs, dir } = options;
  const voided = { segment: old.name, from: old.safe };
  try {
    for (let number = numberOf(old.name) + 1; ; number++) {
      const before = segmentName(number - 1);
      const follows = { segment: before, bytes: (await fs.size(join(dir, before))) ?? 0 };
      const head: Head = { follows, cause: 'failed', void: voided };
      const name = segmentName(number);
      if (await begin(options, name, head)) return await openSegment(options, name);
    }
  } catch (error) {
    throw refusalOf(error);
  }
}

type Head = Omit<SegmentHead, 'app'>;

/** `false`: somebody else began it. When it is `true`, it is on disk. */
async function begin(options: SegmentsOptions, name: string, head: Head): Promise<boolean> {
  const { fs, dir } = options;
  const text = headRecord(options, head).toString();
  if (!(await fs.createExclusive(join(dir, name), text))) return false;
  await fs.syncFolder(dir);
  return true;
}

function headRecord({ clock, writer }: SegmentsOptions, head: Head): Buffer {
  return encodeRecord(headJson(writer, clock.now(), head));
}

function numberOf(name: string): number {
  return parseSegmentName(name) ?? 1;
}
