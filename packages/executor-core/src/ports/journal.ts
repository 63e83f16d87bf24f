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
  /** Calls back with records of *other* writers as they appear, from now on. Returns a stop function. */
  follow(onEvents: (events: readonly RunEvent[]) => void): () => void;
  close(): Promise<void>;
}
