import type { RunEvent } from '../model/event';

/**
 * The append-only record of one run. Several processes may write at once; the file gives the order.
 */
export interface Journal {
  /**
   * Appends in order. Resolves when the records are written and, if one of them is durable
   * (see `isDurable` in store/), on disk: act only after that.
   */
  append(events: readonly RunEvent[]): Promise<void>;
  /** All intact records so far, in file order. Torn or damaged ones are skipped. */
  read(): Promise<readonly RunEvent[]>;
  /**
   * Those behind a place that was read before: byte offsets by segment. `null` when some in front of it
   * turned out not to count, so that all must be read again.
   */
  readBehind(cursor: ReadonlyMap<string, number>): Promise<readonly RunEvent[] | null>;
  /** Calls back with records of *other* writers as they appear, from now on. Returns a stop function. */
  follow(onEvents: (events: readonly RunEvent[]) => void): () => void;
  close(): Promise<void>;
}
