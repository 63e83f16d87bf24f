import { dirname, join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { QuickFiles } from '../ports/quick-files';
import {
  encodeRecord,
  parseRecord,
  parseRecordName,
  recordName,
  type LeaseRecord,
  type RecordName,
  type TableRecord,
  type WaitRecord,
  type WideRecord,
} from './lease-record';
import { LeaseFiles } from './lease-files';
import type { LockTable } from './lock-table';

/** A table as it lies on disk. */
export interface StoredTable extends LockTable {
  readonly wides: readonly WideRecord[];
  /** Names of records that are damaged, or belong to a lease that has gone. */
  readonly broken: readonly string[];
}

/** How many fenced leases are kept for a person to look at. */
const KEPT_FENCED = 100;

/**
 * All records in `folder`; empty when there is none. Writes granted later are part of their lease's
 * access. Other files are left alone. Takes no lock: a record may come or go while it reads.
 */
export async function readTable(fs: FileSystem, folder: string | null): Promise<StoredTable> {
  return readRecords(fs, folder, await recordNames(fs, folder));
}

/** Tokens of all leases in `folder`. Which there are the names tell: no file is read. */
export async function readTokens(
  fs: FileSystem,
  folder: string | null,
): Promise<readonly number[]> {
  const found = (await recordNames(fs, folder)).map(parseRecordName);
  return found.flatMap((name) => (name?.kind === 'lease' ? [name.number] : []));
}

/** The lease with this token; the files of other tasks are not read. */
export async function readLease(
  fs: FileSystem,
  folder: string | null,
  token: number,
): Promise<LeaseRecord | null> {
  const names = await recordNames(fs, folder);
  const task = names.map(parseRecordName).find((name) => isLease(name, token))?.task;
  if (task === undefined) return null;
  const ofTask = names.filter((name) => parseRecordName(name)?.task === task);
  const { leases } = await readRecords(fs, folder, ofTask);
  return leases.find((lease) => lease.token === token) ?? null;
}

function isLease(name: RecordName | null, token: number): boolean {
  return name?.kind === 'lease' && name.number === token;
}

async function recordNames(fs: FileSystem, folder: string | null): Promise<readonly string[]> {
  return folder === null ? [] : (await fs.list(folder)).filter(parseRecordName);
}

async function readRecords(
  fs: FileSystem,
  folder: string | null,
  names: readonly string[],
): Promise<StoredTable> {
  const texts = await Promise.all(names.map((name) => fs.readText(join(folder ?? '', name))));
  const leases: LeaseRecord[] = [];
  const waiters: WaitRecord[] = [];
  const wides: WideRecord[] = [];
  const broken: string[] = [];
  for (const [at, name] of names.entries()) {
    const text = texts[at] ?? null;
    if (text === null) continue;
    const record = parseRecord(name, text);
    if (record === null) broken.push(name);
    else if ('wide' in record) wides.push(record);
    else if ('ticket' in record) waiters.push(record);
    else leases.push(record);
  }
  const held = wides.filter(({ token }) => leases.some((lease) => lease.token === token));
  for (const one of wides) if (!held.includes(one)) broken.push(recordName(one));
  return { leases: leases.map((lease) => widened(lease, held)), waiters, wides: held, broken };
}

/** The lease with the writes of those `wides` that are its own. */
export function widened(lease: LeaseRecord, wides: readonly WideRecord[]): LeaseRecord {
  const more = wides.flatMap(({ token, writes }) => (token === lease.token ? writes : []));
  if (more.length === 0) return lease;
  const { reads, writes } = lease.access;
  return { ...lease, access: { reads, writes: [...new Set([...writes, ...more])] } };
}

/** The table has moved to the next epoch: who wrote to it has been taken over. */
export class TableMoved extends Error {
  override readonly name = 'TableMoved';
  constructor() {
    super('The lock table was taken over by another process.');
  }
}

/**
 * What the leader writes, in the folder of its epoch. Every method but `remove` throws, or rejects
 * with, `TableMoved` once the folder has been moved away; nothing has been written then.
 */
export interface TableFiles {
  /** The greatest number that may have been given as a token or a ticket. */
  lastNumber(): Promise<number>;
  /** On disk when it resolves, even over a power cut: numbers up to this one may be given from now on. */
  reserve(upTo: number): Promise<void>;
  /**
   * Writes the record's file, whole or (when the process is killed in between) in part, or with the
   * content of a `spare` one, which it was before.
   */
  add(record: TableRecord | WideRecord): void;
  /** The file is not wanted any more: `add` takes it, or `removeSpares` removes it. */
  spare(record: TableRecord): void;
  /** To be called in the turn of `spare`; `false` when one was not there, as after the table's move. */
  removeSpares(): boolean;
  /** `false` when it was gone. */
  remove(record: TableRecord | WideRecord): boolean;
  /** Its file has gone without our doing. */
  forget(record: TableRecord): void;
  /** Removes a broken record, by name. */
  discard(name: string): void;
  /** Moves a lease to `fenced/`, the one step by which its owner loses it; `false` when it was gone. */
  fence(record: LeaseRecord): Promise<boolean>;
  /** Names of everything in the folder. */
  names(): Promise<readonly string[]>;
  assertHere(): Promise<void>;
  /** To be called in the end. */
  close(): void;
  pathOf(record: TableRecord): string;
}

export function createTableFiles(fs: FileSystem, quick: QuickFiles, folder: string): TableFiles {
  const fencedDir = fencedDirOf(folder);
  const pathOf = (record: TableRecord | WideRecord): string => join(folder, recordName(record));
  const leaseFiles = new LeaseFiles(quick, folder);
  const assertHere = async (): Promise<void> => {
    if (!(await fs.exists(folder))) throw new TableMoved();
  };

  return {
    pathOf,
    assertHere,
    names: () => fs.list(folder),
    ...counterIn(fs, folder, assertHere),
    add(record) {
      const path = pathOf(record);
      const text = encodeRecord(record);
      const outcome = leaseFiles.create(path, text);
      if (outcome === 'no-folder') throw new TableMoved();
      if (outcome === 'created') return;
      throw new Error(`Internal error: ${recordName(record)} exists already.`);
    },
    spare: (record) => {
      leaseFiles.spare(pathOf(record));
    },
    removeSpares: () => leaseFiles.removeSpares(),
    remove: (record) => leaseFiles.remove(pathOf(record)),
    forget: (record) => {
      leaseFiles.forget(pathOf(record));
    },
    discard: (name) => void quick.remove(join(folder, name)),
    close: () => {
      leaseFiles.close();
    },
    async fence(record) {
      await fs.makeDir(fencedDir);
      leaseFiles.forget(pathOf(record));
      const fenced = await fs.rename(pathOf(record), join(fencedDir, recordName(record)));
      if (!fenced) await assertHere();
      const names = await fs.list(fencedDir);
      for (const name of names.slice(0, -KEPT_FENCED)) await fs.removeFile(join(fencedDir, name));
      return fenced;
    },
  };
}

function counterIn(
  fs: FileSystem,
  folder: string,
  assertHere: () => Promise<void>,
): Pick<TableFiles, 'lastNumber' | 'reserve'> {
  const counterPath = join(folder, 'counter');
  return {
    async lastNumber() {
      const text = (await fs.readText(counterPath)) ?? '';
      // The names count as well: should the counter be lost, no number is given twice.
      const names = [...(await fs.list(folder)), ...(await fs.list(fencedDirOf(folder)))];
      const numbers = names.map((name) => parseRecordName(name)?.number ?? 0);
      return Math.max(/^\d+\n?$/.test(text) ? Number(text) : 0, ...numbers);
    },
    async reserve(upTo) {
      try {
        await fs.writeAtomic(counterPath, `${upTo}\n`);
      } catch (error) {
        await assertHere();
        throw error;
      }
    },
  };
}

function fencedDirOf(folder: string): string {
  return join(dirname(folder), 'fenced');
}
