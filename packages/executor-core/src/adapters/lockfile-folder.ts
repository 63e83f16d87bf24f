import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from '../model/process';
import { hasCode } from './error-code';

/**
 * A lock is a folder that holds `owner.json`. Both appear in one step: the folder is filled under a
 * name of its own and renamed into place, and rename(2) refuses a target folder that is not empty.
 * So a lock that can be seen always names its owner, and two owners cannot be in place at once.
 * It leaves in one step too: renamed to a unique name, and deleted there.
 */
const OWNER_FILE = 'owner.json';
const NONCE = /^[0-9a-f]{16}$/;
const PRIVATE = 0o700;

/** A filled folder that waits to be put in place. Its nonce names this one lock for ever. */
export interface StagedFolder {
  readonly folder: string;
  readonly nonce: string;
}

/**
 * What is at a lock's path. `instance` names this very lock; it is never used again. `owner` is
 * `null` when the record cannot be read, which only a power cut or a person can bring about.
 * `since` is epoch ms.
 */
export type LockState =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'held';
      readonly instance: string;
      readonly owner: ProcessIdentity | null;
      readonly since: number | null;
    };

/** Fills a folder beside `target`; creates the parent folder when it is missing. */
export async function stageFolder(target: string, owner: ProcessIdentity): Promise<StagedFolder> {
  const nonce = randomBytes(8).toString('hex');
  const folder = `${target}.new-${owner.pid}-${nonce}`;
  await fs.mkdir(dirname(target), { recursive: true, mode: PRIVATE });
  await fs.mkdir(folder, { mode: PRIVATE });
  const record = { ...owner, nonce, since: new Date().toISOString() };
  await fs.writeFile(join(folder, OWNER_FILE), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  return { folder, nonce };
}

/** Puts a staged folder at `target`; `false` when somebody is there. */
export async function placeFolder(staged: StagedFolder, target: string): Promise<boolean> {
  try {
    await fs.rename(staged.folder, target);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    // Windows refuses every rename onto a folder, and says so in these words.
    if (hasCode(error, 'EPERM', 'EACCES') && (await identityOf(target)) !== null) return false;
    throw error;
  }
}

/** Removes a staged folder, unless it has been put in place. */
export function dropStaged(staged: StagedFolder): Promise<void> {
  return deleteTree(staged.folder);
}

/** Deletes what is no lock (any more). A failure is no harm: a later sweep tries again. */
export async function deleteTree(path: string): Promise<void> {
  await fs.rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Renames `target` to `trash` (the one step that frees it) and deletes it there; `false` when it was gone. */
export async function discardFolder(target: string, trash: string): Promise<boolean> {
  try {
    await fs.rename(target, trash);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  await deleteTree(trash);
  return true;
}

/** Who is at `target`. An error other than "missing" rejects: not knowing is not being free. */
export async function inspectFolder(target: string): Promise<LockState> {
  for (;;) {
    const seen = await readOwner(target);
    if (seen !== null) return seen;
    // Unreadable: missing, or damaged. Damaged is said only of a folder that was the same before
    // and after the reading, so that a lock which changes hands in between is never called that.
    const before = await identityOf(target);
    if (before === null) return { kind: 'free' };
    const again = await readOwner(target);
    if (again !== null) return again;
    if ((await identityOf(target)) === before) {
      return { kind: 'held', instance: before, owner: null, since: null };
    }
  }
}

async function readOwner(target: string): Promise<LockState | null> {
  try {
    return parseOwner(await fs.readFile(join(target, OWNER_FILE), 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

function parseOwner(text: string): LockState | null {
  const record = parseObject(text);
  const { pid, startTime, bootId, host, nonce, since } = record;
  const complete =
    typeof pid === 'number' &&
    typeof startTime === 'string' &&
    typeof bootId === 'string' &&
    typeof host === 'string' &&
    typeof nonce === 'string' &&
    NONCE.test(nonce);
  if (!complete) return null;
  const instant = typeof since === 'string' ? Date.parse(since) : NaN;
  return {
    kind: 'held',
    instance: nonce,
    owner: { pid, startTime, bootId, host },
    since: Number.isNaN(instant) ? null : instant,
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Inode and birth time: an inode number alone is used again. `null` when `path` is missing. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const stats = await fs.stat(path, { bigint: true });
    return `i${stats.ino}b${stats.birthtimeNs}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
