import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { QuickFiles } from '../ports/quick-files';
import type { LeaseRecord, TableRecord, TableRecordName } from './lease-record';
import { encodeRecord, recordName } from './lease-record';
import { findFolder, openFolder, type TableFolder } from './table-folder';
import { readLease, readTable, readTokens, type StoredTable } from './table-files';

/**
 * The table as everybody may use it without leading: reading, heartbeats, and giving back what is
 * one's own, which can only let others in. Follows the table from epoch to epoch.
 */
export class TableHome {
  private folder: TableFolder | null = null;

  constructor(
    private readonly fs: FileSystem,
    private readonly quick: QuickFiles,
    private readonly locksDir: string,
  ) {}

  /** The current folder; made when there is none. */
  async open(): Promise<TableFolder> {
    this.folder = await openFolder(this.fs, this.locksDir);
    return this.folder;
  }

  async read(): Promise<StoredTable> {
    this.folder = await findFolder(this.fs, this.locksDir);
    return readTable(this.fs, this.folder?.path ?? null);
  }

  async tokens(): Promise<readonly number[]> {
    this.folder = await findFolder(this.fs, this.locksDir);
    return readTokens(this.fs, this.folder?.path ?? null);
  }

  async lease(token: number): Promise<LeaseRecord | null> {
    this.folder = await findFolder(this.fs, this.locksDir);
    return readLease(this.fs, this.folder?.path ?? null, token);
  }

  has(record: TableRecord): Promise<boolean> {
    return this.inFolder(record, (path) => this.fs.exists(path));
  }

  /** Heartbeat; `false` when the record has gone. */
  beat(record: TableRecord): Promise<boolean> {
    return this.inFolder(record, (path) => this.fs.touch(path));
  }

  remove(record: TableRecordName): Promise<boolean> {
    return this.inFolder(record, (path) => Promise.resolve(this.quick.remove(path)));
  }

  /** Notes that the lease has no slot any more; `false` when it has gone. */
  dropSlot(record: LeaseRecord): Promise<boolean> {
    const text = encodeRecord({ ...record, slot: null });
    return this.inFolder(record, (path) => Promise.resolve(this.quick.rewrite(path, text)));
  }

  /** Once where the table was last seen, and once more where it is when it has moved since. */
  private async inFolder(
    record: TableRecordName,
    work: (path: string) => Promise<boolean>,
  ): Promise<boolean> {
    const name = recordName(record);
    const known = this.folder;
    if (known !== null && (await work(join(known.path, name)))) return true;
    const current = await findFolder(this.fs, this.locksDir);
    this.folder = current;
    if (current === null || current.path === known?.path) return false;
    return work(join(current.path, name));
  }
}
