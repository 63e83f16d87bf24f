import type { AppendFile } from '../ports/file-system';
import { refusalOf } from './journal-refusal';
import type { JournalRefusal } from './journal-refusal';

/**
 * One segment, open for appending, until the disk refuses anything about it: from then on nothing is
 * written to it and no sync is tried again. After a failed sync the kernel may have dropped the pages it
 * could not write and call the next sync a success, so that success would promise nothing.
 */
export interface SegmentFile {
  /** File name. */
  readonly name: string;
  /** Why it can no longer be used; `null` while it can. */
  readonly failure: JournalRefusal | null;
  /** Everything this writer appended in front of this byte is on disk. */
  readonly safe: number;
  /** Appends one record; throws `JournalRefusal`. */
  append(record: Buffer): void;
  /** Resolves once everything appended before the call is on disk; rejects with `JournalRefusal`. */
  commit(): Promise<void>;
  /** Closes it behind the syncs that are under way; never rejects. */
  close(): Promise<void>;
}

/** `size` tells the file's bytes, those of other writers among them; it is `safe` to begin with. */
export async function segmentFile(
  name: string,
  file: AppendFile,
  size: () => Promise<number>,
): Promise<SegmentFile> {
  let safe = await size();
  let failure: JournalRefusal | null = null;
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  const fail = (error: unknown): never => {
    failure ??= refusalOf(error);
    throw failure;
  };
  const assertHealthy = (): void => {
    if (failure !== null) throw failure;
  };
  const sync = async (): Promise<void> => {
    next = null;
    assertHealthy();
    // What is appended from here on is behind this byte, and asks for a sync of its own.
    const reached = await size().catch(fail);
    await file.sync().catch(fail);
    safe = reached;
  };
  return {
    name,
    get failure() {
      return failure;
    },
    get safe() {
      return safe;
    },
    append(record) {
      assertHealthy();
      try {
        file.append(record);
      } catch (error) {
        fail(error);
      }
    },
    // Callers that arrive while a sync is under way share the next one: 25 agents, two fdatasyncs.
    commit() {
      if (next === null) {
        next = underWay.then(sync);
        underWay = next.catch(() => undefined);
      }
      return next;
    },
    close: () => (closing ??= underWay.then(() => file.close()).catch(() => undefined)),
  };
}
