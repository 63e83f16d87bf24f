import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import {
  encodeRecord,
  isLease,
  parseRecord,
  parseRecordName,
  recordName,
  type LeaseRecord,
  type TableRecord,
  type WaitRecord,
} from './lease-record';
import type { LockTable } from './lock-table';

/** The lock table as files: one per lease and per wait, a counter, and the folder `fenced/`. */
export interface TableFiles {
  /**
   * All readable records. `fresh` reads every file that can have changed; `cached` believes that
   * no lease gave up its slot since the last reading. The same file gives the same object.
   */
  read(how: 'fresh' | 'cached'): Promise<LockTable>;
  /** The greatest token or ticket ever given. */
  lastNumber(): Promise<number>;
  /** On disk when it resolves. */
  saveNumber(number: number): Promise<void>;
  /** Creates the record's file. Rejects when it exists: a number was given twice. */
  add(record: TableRecord): Promise<void>;
  /** Rewrites a lease in place. */
  replace(record: LeaseRecord): Promise<void>;
  /** `false` when it was gone. */
  remove(record: TableRecord): Promise<boolean>;
  /** Moves a lease to `fenced/`, the one step by which its owner loses it; `false` when it was gone. */
  fence(record: LeaseRecord): Promise<boolean>;
  pathOf(record: TableRecord): string;
}

/** How many fenced leases are kept for a person to look at. */
const KEPT_FENCED = 100;

/** Files under `locksDir`, which must exist. Files that are no records are left alone. */
export function createTableFiles(fs: FileSystem, locksDir: string): TableFiles {
  const counterPath = join(locksDir, 'counter');
  const fencedDir = join(locksDir, 'fenced');
  const pathOf = (record: TableRecord): string => join(locksDir, recordName(record));
  const cache = new RecordCache(fs, locksDir);

  return {
    pathOf,
    read: (how) => cache.read(how),
    async lastNumber() {
      const text = (await fs.readText(counterPath)) ?? '';
      // The names count as well: should the counter be lost, no number is given twice.
      const names = [...(await fs.list(locksDir)), ...(await fs.list(fencedDir))];
      const numbers = names.map((name) => parseRecordName(name)?.number ?? 0);
      return Math.max(/^\d+\n?$/.test(text) ? Number(text) : 0, ...numbers);
    },
    saveNumber: (number) => fs.writeAtomic(counterPath, `${number}\n`),
    async add(record) {
      if (await fs.createExclusive(pathOf(record), encodeRecord(record))) return;
      throw new Error(`Internal error: ${recordName(record)} exists already.`);
    },
    replace: (record) => fs.writeAtomic(pathOf(record), encodeRecord(record)),
    remove: (record) => fs.removeFile(pathOf(record)),
    async fence(record) {
      await fs.makeDir(fencedDir);
      const fenced = await fs.rename(pathOf(record), join(fencedDir, recordName(record)));
      const names = await fs.list(fencedDir);
      for (const name of names.slice(0, -KEPT_FENCED)) await fs.removeFile(join(fencedDir, name));
      return fenced;
    },
  };
}

/** Reads a file once; only a lease that has a slot can change. */
class RecordCache {
  private entries = new Map<string, { readonly text: string; readonly record: TableRecord }>();

  constructor(
    private readonly fs: FileSystem,
    private readonly folder: string,
  ) {}

  async read(how: 'fresh' | 'cached'): Promise<LockTable> {
    const names = (await this.fs.list(this.folder)).filter((name) => parseRecordName(name));
    const read = await Promise.all(names.map((name) => this.load(name, how)));
    const entries = new Map<string, { readonly text: string; readonly record: TableRecord }>();
    const leases: LeaseRecord[] = [];
    const waiters: WaitRecord[] = [];
    for (const [at, name] of names.entries()) {
      const entry = read[at];
      if (entry === undefined || entry === null) continue;
      entries.set(name, entry);
      if (isLease(entry.record)) leases.push(entry.record);
      else waiters.push(entry.record);
    }
    this.entries = entries;
    return { leases, waiters };
  }

  private async load(
    name: string,
    how: 'fresh' | 'cached',
  ): Promise<{ readonly text: string; readonly record: TableRecord } | null> {
    const known = this.entries.get(name);
    if (known !== undefined && (how === 'cached' || !canChange(known.record))) return known;
    const text = await this.fs.readText(join(this.folder, name));
    if (text === null) return null;
    if (text === known?.text) return known;
    const record = parseRecord(name, text);
    return record === null ? null : { text, record };
  }
}

function canChange(record: TableRecord): boolean {
  return isLease(record) && record.slot !== null;
}
