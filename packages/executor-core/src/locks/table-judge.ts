import type { LeaseBook } from './lease-book';
import type { TableRecord } from './lease-record';
import type { TableFiles } from './table-files';
import type { Takeover } from './takeover';
import type { WaitingRoom } from './waiting';

export interface TableJudgeDeps {
  readonly book: LeaseBook;
  readonly waiting: WaitingRoom;
  readonly files: TableFiles;
  readonly takeover: Takeover;
  /** `true`: this process does not lead any more. */
  readonly isOver: () => boolean;
}

/** Takes from the table what belongs to the dead and the silent. */
export class TableJudge {
  private judging: Promise<void> | null = null;

  constructor(private readonly deps: TableJudgeDeps) {}

  /** One judgement at a time; who asks during one gets its result. Rejects when the table cannot be written. */
  judge(): Promise<void> {
    this.judging ??= this.judgeAll().finally(() => {
      this.judging = null;
    });
    return this.judging;
  }

  private async judgeAll(): Promise<void> {
    const { book, waiting, takeover, isOver } = this.deps;
    await this.compareWithDisk();
    // A process that is connected speaks for its waits; if it is stopped, the lease it gets passes on.
    const records: readonly TableRecord[] = [...book.all(), ...waiting.orphans()];
    for (const record of await takeover.judge(records, (owner) => waiting.isPresent(owner))) {
      if (isOver()) return;
      // Its owner may give a lease back while others are being judged; the file is another's then.
      if ('token' in record && book.get(record.token) === null) continue;
      await takeover.sweep(record);
      if ('token' in record) book.drop(record.token);
      else waiting.drop(record.request);
    }
  }

  /** An owner, or a person, removes files without asking us. */
  private async compareWithDisk(): Promise<void> {
    const { book, waiting, files } = this.deps;
    const leases = book.all();
    const waits = waiting.all().filter(({ filed }) => filed);
    const names = new Set(await files.names());
    book.compare(leases, names);
    waiting.compare(waits, names);
  }
}
