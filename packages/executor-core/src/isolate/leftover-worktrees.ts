import { dirname, join } from 'node:path';

import { type AdminEntry, readAdminEntries, type WorktreeOwner } from './admin-entry';
import { isAbandonedTree, reasonFile } from './worktree-safety';
import {
  adminTrashFolder,
  keptFolder,
  trashFolder,
  type WorktreeSiteOptions,
} from './worktree-site';

/** A worktree of ours that is still there, or what git still knows of one. */
export interface LeftWorktree {
  /** Absolute; the entry's own folder where git did not come to write where the worktree is. */
  readonly path: string;
  /** Folder of worktrees it lies in, links resolved. */
  readonly base: string;
  readonly owner: WorktreeOwner | null;
  /** `null`: git knows nothing of it any more. */
  readonly entry: AdminEntry | null;
  /** It could not be saved in full when it was to be removed, and was moved aside. */
  readonly aside: boolean;
  /** Why it could not be saved, where that was written down. */
  readonly reason: string | null;
}

type Where = Pick<WorktreeSiteOptions, 'fs' | 'files' | 'commonDir'>;

const OUR_NAME = /^(?:agent-\d+(?:\.\d+)?|spare-\d+-\d+|base-\d+-\d+|verify-\d+|resolve-.+)$/;

/**
 * Our worktrees in the folders `bases` (absolute), by path. Only what git's lock or the folder's own link
 * proves to be ours; a worktree elsewhere is somebody else's. Writes nothing and needs no lock.
 */
export async function findWorktrees(
  where: Where,
  bases: readonly string[],
): Promise<readonly LeftWorktree[]> {
  const real = await Promise.all(
    bases.map(async (base) => (await where.files.realPath(base)) ?? base),
  );
  const entries = await readAdminEntries(where);
  const found: LeftWorktree[] = [];
  for (const base of new Set(real)) {
    for (const entry of entries) {
      const left = await leftBy(where, base, entry);
      if (left !== null) found.push(left);
    }
    found.push(...(await withoutEntry(where, base, entries)));
  }
  // A half-made entry is in no folder yet, and so in all of them.
  return [...new Map(found.map((left) => [left.path, left])).values()].sort(byPath);
}

/** Names of what waits to be deleted, absolute. */
export async function findTrash(
  { fs, commonDir }: Where,
  bases: readonly string[],
): Promise<readonly string[]> {
  const folders = [...bases.map(trashFolder), adminTrashFolder(commonDir)];
  const listed = await Promise.all(
    folders.map(async (folder) => (await fs.list(folder)).map((name) => join(folder, name))),
  );
  return listed.flat();
}

async function leftBy(where: Where, base: string, entry: AdminEntry): Promise<LeftWorktree | null> {
  const { worktree, owner } = entry;
  if (owner === null) return null;
  const left = { base, owner, entry, reason: null };
  if (worktree === null) return { ...left, path: entry.folder, aside: false };
  if (dirname(worktree) === base) return { ...left, path: worktree, aside: false };
  if (dirname(worktree) !== keptFolder(base) || !(await where.fs.exists(worktree))) return null;
  return { ...left, path: worktree, aside: true, reason: await reasonOf(where, worktree) };
}

/** Folders whose entry somebody removed. */
async function withoutEntry(
  where: Where,
  base: string,
  entries: readonly AdminEntry[],
): Promise<readonly LeftWorktree[]> {
  const known = new Set(entries.map(({ worktree }) => worktree));
  const found: LeftWorktree[] = [];
  for (const name of await where.fs.list(base)) {
    const path = join(base, name);
    if (known.has(path) || !OUR_NAME.test(name)) continue;
    if (!(await isAbandonedTree({ ...where, base }, path))) continue;
    found.push({ path, base, owner: null, entry: null, aside: false, reason: null });
  }
  const kept = keptFolder(base);
  for (const name of await where.fs.list(kept)) {
    const path = join(kept, name);
    if (known.has(path) || (await where.files.kind(path)) !== 'folder') continue;
    const reason = await reasonOf(where, path);
    found.push({ path, base, owner: null, entry: null, aside: true, reason });
  }
  return found;
}

async function reasonOf({ fs }: Where, path: string): Promise<string | null> {
  return (await fs.readText(reasonFile(path)))?.trim() ?? null;
}

function byPath(a: LeftWorktree, b: LeftWorktree): number {
  return a.path < b.path ? -1 : 1;
}
