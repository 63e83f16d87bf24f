import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';

import limitConcurrency from 'p-limit';

import { UserError } from '../model/user-error';
import {
  type AdminEntry,
  dropAdminEntry,
  findAdminEntry,
  isOurs,
  readAdminEntries,
  type WorktreeOwner,
} from './admin-entry';
import { clearChanges, clearPinned, PINNED_NAME } from './pinned-sweep';
import {
  type Release,
  releaseKept,
  releaseWorktree,
  saveInPlace,
  type WarmWorktree,
} from './worktree-safety';
import { draftFolder, keptFolder, stateFolder, type WorktreeSite } from './worktree-site';

interface Released {
  readonly path: string;
  readonly release: Release;
}

export interface Sweep {
  /** Trees that are gone from the base folder; `saved` names the new refs. */
  readonly released: readonly Released[];
  /** Worktrees that were left where they are, to be saved before anybody uses them. */
  readonly left: readonly LeftToSave[];
  /** Folders with our kind of name that we did not make; untouched. */
  readonly foreign: readonly string[];
}

/** A worktree whose task goes on in it. */
export interface LeftToSave {
  readonly owner: WorktreeOwner;
  /** Saves it where it is; one that cannot be taken over is released. Few are saved at once. */
  save(): Promise<Pick<Sweep, 'released'> & { readonly warm: readonly WarmWorktree[] }>;
}

/** Each reads a whole worktree. */
const saving = limitConcurrency(availableParallelism());
const OUR_NAME = /^(?:agent-\d+(?:\.\d+)?|spare-\d+-\d+|verify-\d+)$/;

/**
 * Clears what a killed run left: half-made entries that stop git, lock files, worktrees (their unlanded
 * work is saved to refs first). Removed trees are left in the trash, which the next `close` of a pool
 * empties: that may take minutes, and nobody waits for it. Call it before the first git command about worktrees, and
 * only while no process of any run is alive in this repository. A second sweep changes nothing.
 * `landed`: commits known to be safe, usually the target's tip. `keeps`: whose worktrees are left to be
 * saved, because their tasks go on in them.
 */
export async function sweepWorktrees(
  pool: { readonly site: () => Promise<WorktreeSite> },
  landed: readonly string[] = [],
  keeps: (owner: WorktreeOwner) => boolean = () => false,
): Promise<Sweep> {
  const site = await pool.site();
  await site.alone(async () => {
    await dropBrokenEntries(site);
    await removeGitLocks(site);
    await removeProbes(site);
  });
  const foreign: string[] = [];
  const left: LeftToSave[] = [];
  const releaseOrLeave = async (path: string): Promise<Released | null> => {
    try {
      const entry = await findAdminEntry(site, path);
      const owner = entry !== null && isOurs(site, entry) ? entry.owner : null;
      // A person is at work there, whatever became of the run.
      if (owner?.kind === 'resolve' && entry?.base != null && (await site.fs.exists(path)))
        return null;
      if (entry !== null && owner !== null && keeps(owner)) {
        left.push({ owner, save: () => saving(() => saveLeft(site, path, entry, landed)) });
        return null;
      }
      return { path, release: await releaseWorktree(site, path, landed) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      foreign.push(path);
      return null;
    }
  };
  const released: Released[] = [];
  // An entry without a folder last: it may be of a folder that a kill met on its way to another name.
  for (const paths of await leftovers(site)) {
    const answers = await Promise.all(paths.map((path) => saving(() => releaseOrLeave(path))));
    released.push(...answers.filter((answer) => answer !== null));
  }
  for (const entry of await keptEntries(site)) {
    const release = await releaseKept(site, entry, landed);
    if (release.kind === 'removed') released.push({ path: entry.worktree, release });
  }
  await clearPinned(site);
  await clearChanges(site);
  await site.fs.removeTree(draftFolder(site.commonDir)).catch(() => undefined);
  return { released, left, foreign: foreign.sort() };
}

async function saveLeft(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry,
  landed: readonly string[],
): ReturnType<LeftToSave['save']> {
  const warm = await saveInPlace(site, entry, landed);
  if (warm !== null) return { released: [], warm: [warm] };
  return { released: [{ path, release: await releaseWorktree(site, path, landed) }], warm: [] };
}

/**
 * Removes our half-made entries. With a single one of them every git command about worktrees fails, and
 * `git worktree prune` does not help. Call inside `alone`: nobody of ours is making one then.
 */
export async function dropBrokenEntries(site: WorktreeSite): Promise<void> {
  for (const entry of await readAdminEntries(site)) {
    if (entry.broken && isOurs(site, entry)) await dropAdminEntry(site, entry);
  }
}

/**
 * A killed git leaves lock files, and every later git that needs the same file refuses. The index
 * of a look at a worktree that was killed is of no use to anybody.
 */
async function removeGitLocks(site: WorktreeSite): Promise<void> {
  for (const entry of await readAdminEntries(site)) {
    if (isOurs(site, entry)) await removeFiles(site, entry.folder, /\.lock$/);
  }
  await removeFiles(site, stateFolder(site.commonDir), /^index-[0-9a-f-]{36}(?:\.lock)?$/);
  await removeFiles(site, join(site.commonDir, 'refs/heads'), /^agent-\d+-.*\.lock$/);
  const kept = join(site.commonDir, 'refs/parallel');
  for (const run of await site.fs.list(kept)) {
    for (const task of await site.fs.list(join(kept, run))) {
      await removeFiles(site, join(kept, run, task), /\.lock$/);
    }
  }
}

/** A kill met somebody who tried whether an overlay can be mounted, see `Mounts.problem`. */
async function removeProbes({ fs, mounts, commonDir }: WorktreeSite): Promise<void> {
  const folder = stateFolder(commonDir);
  for (const at of (await mounts?.below(folder)) ?? []) await mounts?.unmount(at);
  for (const name of await fs.list(folder)) {
    if (name.startsWith('probe-')) await fs.removeTree(join(folder, name));
  }
}

async function removeFiles({ fs }: WorktreeSite, folder: string, pattern: RegExp): Promise<void> {
  for (const name of await fs.list(folder)) {
    if (pattern.test(name)) await fs.removeFile(join(folder, name));
  }
}

/** Worktrees that could not be saved when they were given back. */
async function keptEntries(
  site: WorktreeSite,
): Promise<readonly (AdminEntry & { readonly worktree: string })[]> {
  const found: (AdminEntry & { readonly worktree: string })[] = [];
  for (const entry of await readAdminEntries(site)) {
    const { worktree, owner, broken } = entry;
    if (worktree === null || owner === null || broken) continue;
    if (dirname(worktree) !== keptFolder(site.base)) continue;
    if (await site.fs.exists(worktree)) found.push({ ...entry, worktree });
  }
  return found;
}

/** Folders with our names, then the paths of our entries whose folder is elsewhere or gone. */
async function leftovers(site: WorktreeSite): Promise<readonly (readonly string[])[]> {
  const names = (await site.fs.list(site.base)).filter((name) => OUR_NAME.test(name));
  const folders = names.map((name) => join(site.base, name));
  const entries = new Set<string>();
  for (const entry of await readAdminEntries(site)) {
    if (entry.worktree !== null && isOurs(site, entry)) entries.add(entry.worktree);
  }
  // Those are cleared last: what overlays hold can be saved only while their files are shown.
  for (const path of entries) {
    if (PINNED_NAME.test(basename(path)) && (await site.fs.exists(path))) entries.delete(path);
  }
  for (const folder of folders) entries.delete(folder);
  return [folders.sort(), [...entries].sort()];
}
