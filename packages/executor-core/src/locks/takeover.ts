import type { ProcessIdentity } from '../model/process';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Processes } from '../ports/processes';
import { isLease, type TableRecord } from './lease-record';
import { isSameProcess } from './same-process';
import { SilenceWatch } from './silence-watch';
import type { TableFiles } from './table-files';

/**
 * The one place that takes a lease away from its owner.
 *
 * - A dead owner's records go at once. Proof is the port's: other boot, no such pid, other start time.
 * - A live owner's go when its file has had no heartbeat for longer than the lease's time to live; see
 *   SilenceWatch for who may say so.
 * - Records of this process are never judged by it.
 * - A lease goes by one rename into `fenced/`: from then on its token is not current any more, and
 *   its owner, should it come back, can land nothing.
 */
export interface Takeover {
  /**
   * Records whose owners have lost their right. Reads only. `isPresent`: known to live, because its
   * line, which the kernel closes when it dies, is open; it may be silent all the same.
   */
  judge(
    records: readonly TableRecord[],
    isPresent?: (owner: ProcessIdentity) => boolean,
  ): Promise<readonly TableRecord[]>;
  /** Somebody may just have died: believes nothing it saw before. */
  doubt(): void;
  /** Takes the record out of the table. Only for the leader. */
  sweep(record: TableRecord): Promise<void>;
}

export interface TakeoverDeps {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly files: TableFiles;
  /** The measure of the intervals here; ms. */
  readonly ttlMs: number;
}

/** See `Takeover`. */
export function createTakeover(deps: TakeoverDeps): Takeover {
  const { fs, clock, processes, files, ttlMs } = deps;
  const self = processes.self();
  const silence = new SilenceWatch<TableRecord>(clock, ttlMs, (record) => ({
    lastBeat: () => fs.modifiedAt(files.pathOf(record)),
    ttlMs: record.ttlMs,
  }));

  const seen = new Map<string, number>();
  const isAlive = rememberAlive(clock, processes, seen);

  return {
    async judge(records, isPresent = () => false) {
      const others = records.filter((record) => !isSameProcess(record.owner, self));
      const living: TableRecord[] = [];
      const dead: TableRecord[] = [];
      for (const record of others) {
        const lives = isPresent(record.owner) || isAlive(record.owner);
        (lives ? living : dead).push(record);
      }
      return [...dead, ...(await silence.find(living))];
    },
    doubt: () => {
      seen.clear();
    },
    async sweep(record) {
      if (isLease(record)) await files.fence(record);
      else files.remove(record);
    },
  };
}

/** How long somebody found alive is believed to be; a tenth of what a hand-over may take. */
const BELIEVED_MS = 50;

/** Asks the system once per process and while, however many records it owns. */
function rememberAlive(
  clock: Clock,
  processes: Processes,
  seen: Map<string, number>,
): (owner: ProcessIdentity) => boolean {
  return (owner) => {
    const key = `${owner.pid} ${owner.startTime} ${owner.bootId} ${owner.host}`;
    const age = clock.now() - (seen.get(key) ?? -Infinity);
    if (age >= 0 && age < BELIEVED_MS) return true;
    seen.delete(key);
    const alive = processes.isAlive(owner);
    if (alive) seen.set(key, clock.now());
    return alive;
  };
}
