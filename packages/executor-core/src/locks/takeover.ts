import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Processes } from '../ports/processes';
import { isLease, type TableRecord } from './lease-record';
import type { LockTable } from './lock-table';
import { isSameProcess } from './same-process';
import type { TableFiles } from './table-files';

/** The table as it counts, and the records whose owners have lost their right. */
export interface Judgement {
  readonly table: LockTable;
  readonly doomed: readonly TableRecord[];
}

/**
 * The one place that takes a lease away from its owner.
 *
 * - A dead owner's records go at once. Proof is the port's: other boot, no such pid, other start time.
 * - A live owner's go when its file has had no heartbeat for longer than the lease's time to live.
 *   When a laptop wakes up, every heartbeat is overdue; so an observer accuses nobody before it has
 *   itself been awake for longer than it takes everyone else to beat.
 * - Records of this process are never judged by it.
 * - A lease goes by one rename into `fenced/`: from then on its token is not current any more, and
 *   its owner, should it come back, can land nothing.
 */
export interface Takeover {
  /** Reads only. */
  judge(table: LockTable): Promise<Judgement>;
  /** Carries the judgement out. Only under the table's mutex. */
  sweep(doomed: readonly TableRecord[]): Promise<void>;
}

export interface TakeoverDeps {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly files: TableFiles;
  /** Time to live of waits, and the measure of the intervals here; ms. */
  readonly ttlMs: number;
}

/** Awake for this share of the time to live: more than one heartbeat, which comes every quarter. */
const AWAKE_SHARE = 1 / 3;
const LONGEST_GAP_MS = 1_000;

/** See `Takeover`. */
export function createTakeover(deps: TakeoverDeps): Takeover {
  const silence = new SilenceWatch(deps);
  const self = deps.processes.self();

  return {
    async judge(table) {
      const records: readonly TableRecord[] = [...table.leases, ...table.waiters];
      const others = records.filter((record) => !isSameProcess(record.owner, self));
      const living = others.filter((record) => deps.processes.isAlive(record.owner));
      const doomed = new Set(others.filter((record) => !living.includes(record)));
      for (const record of await silence.find(living)) doomed.add(record);
      if (doomed.size === 0) return { table, doomed: [] };
      return {
        table: {
          leases: table.leases.filter((lease) => !doomed.has(lease)),
          waiters: table.waiters.filter((waiter) => !doomed.has(waiter)),
        },
        doomed: [...doomed],
      };
    },
    async sweep(doomed) {
      for (const record of doomed) {
        if (isLease(record)) await deps.files.fence(record);
        else await deps.files.remove(record);
      }
    },
  };
}

/** Finds the silent among the living. Looks at all of them now and then, at suspects every time. */
class SilenceWatch {
  private suspects: ReadonlySet<TableRecord> = new Set();
  private lastLook = -Infinity;
  private nextFullLook = 0;

  constructor(private readonly deps: TakeoverDeps) {}

  async find(living: readonly TableRecord[]): Promise<readonly TableRecord[]> {
    const { clock, ttlMs } = this.deps;
    const now = clock.now();
    const gap = now - this.lastLook;
    if (gap > Math.max(ttlMs / 4, LONGEST_GAP_MS) || gap < 0) {
      this.suspects = new Set();
      this.nextFullLook = now + ttlMs * AWAKE_SHARE;
    }
    this.lastLook = now;
    const full = now >= this.nextFullLook;
    if (full) this.nextFullLook = now + ttlMs / 8;
    const checked = full ? living : living.filter((record) => this.suspects.has(record));
    const verdicts = await Promise.all(checked.map((record) => this.isSilent(record, now)));
    const silent = checked.filter((_, at) => verdicts[at]);
    this.suspects = new Set(silent);
    return silent;
  }

  private async isSilent(record: TableRecord, now: number): Promise<boolean> {
    const beat = await this.deps.fs.modifiedAt(this.deps.files.pathOf(record));
    const ttlMs = isLease(record) ? record.ttlMs : this.deps.ttlMs;
    return beat !== null && now - beat > ttlMs;
  }
}
