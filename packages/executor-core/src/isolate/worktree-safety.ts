import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';

import type { TaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { wasInterrupted } from '../ports/git';
import {
  type AdminEntry,
  dropAdminEntry,
  findAdminEntry,
  isOurs,
  type WorktreeOwner,
} from './admin-entry';
import { deleteBranch } from './branch-safety';
import { showAgain, takeDown, unshow } from './overlay-worktree';
import { isSaved, KEPT_REFS, keptTrees, saveCommit } from './saved-work';
import type { WorktreeTree } from './snapshot-worktree';
import { commitTree, takeIndexedTree, takeTree } from './snapshot-worktree';
import { keptFolder, type WorktreeSite } from './worktree-site';

/** What became of a worktree that was to be removed. */
export type Release =
  /** There was none. */
  | { readonly kind: 'gone' }
  /** Removed; `saved` is the new ref that keeps what was only there, `null` when nothing was. */
  | { readonly kind: 'removed'; readonly saved: string | null }
  /** Could not be saved in full, so it was moved to `path`, where we never touch it again. */
  | { readonly kind: 'kept'; readonly path: string; readonly reason: string };

/** Of worktrees that somebody writes in. */
type WorkOwner = Extract<WorktreeOwner, { readonly kind: 'agent' | 'resolve' }>;

/** A commit under a ref that was made of everything in a worktree, after its agent had ended. */
export interface KeptWork {
  readonly ref: string;
  readonly commit: string;
}

/**
 * The one place that decides whether a worktree may go. It goes only on proof that nothing is lost:
 * - nobody ever worked in it, as in a spare one, or it is one for verification; or
 * - the caller took all of it into the commit `kept`, and git confirms that its ref holds that; or
 * - its files are those of its HEAD or of a commit under `refs/parallel/` (no checkpoint), and HEAD is saved (`isSaved`)
 *   by these refs, by `landed` (commit ids) or by the commit it was made from.
 * Without proof its state is saved to `refs/parallel/<run>/<task>/salvage-<commit>` first, and what
 * cannot be saved is kept as a folder. A git that fails proves nothing. Ignored files are not saved.
 *
 * Throws `UserError` when the folder is not ours.
 */
export async function releaseWorktree(
  site: WorktreeSite,
  path: string,
  landed: readonly string[],
  kept: KeptWork | null = null,
): Promise<Release> {
  return releaseKnown(site, path, await findAdminEntry(site, path), landed, kept);
}

/** The same, of a worktree whose `entry` has just been looked up. */
export async function releaseKnown(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry | null,
  landed: readonly string[],
  kept: KeptWork | null = null,
): Promise<Release> {
  const present = (await site.files.kind(path)) !== null;
  const ours = entry === null ? await isAbandonedTree(site, path) : isOurs(site, entry);
  if (!ours && !present) return { kind: 'gone' };
  if (!ours) throw notOurs(path);
  const known = entry?.base == null ? landed : [...landed, entry.base];
  const worthless = entry !== null && (ownerOf(entry) === null || entry.base === null);
  const taken = kept !== null && (await isKept(site, kept));
  const isThere = present && !worthless && !taken && (await comesBack(site, entry));
  if (isThere) return saveAndRemove(site, path, entry, known);
  await removeTree(site, path, entry, known);
  return present ? { kind: 'removed', saved: null } : { kind: 'gone' };
}

/** `false` for an overlay that had been saved and was on its way out when a kill met it. */
async function comesBack(site: WorktreeSite, entry: AdminEntry | null): Promise<boolean> {
  // What cannot be shown cannot be saved, which is found out, and told, there.
  return entry === null || showAgain(site, entry).catch(() => true);
}

async function isKept({ git, root }: WorktreeSite, { ref, commit }: KeptWork): Promise<boolean> {
  return (await git.objects(root).resolve(ref)) === commit;
}

async function saveAndRemove(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry | null,
  landed: readonly string[],
): Promise<Release> {
  let saved: string | null;
  try {
    if (entry !== null) await showAgain(site, entry);
    saved = await saveTwice(site, path, ownerOf(entry), landed);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return keep(site, path, entry, messageOf(error));
  }
  await removeTree(site, path, entry, landed);
  return { kind: 'removed', saved };
}

/**
 * Tries again to save what `releaseWorktree` had to keep as a folder, a moment when git was killed, the disk
 * was full. What cannot be saved still, stays as it is, unless a person decided to `discard` it.
 */
export async function releaseKept(
  site: WorktreeSite,
  entry: AdminEntry & { readonly worktree: string },
  landed: readonly string[],
  discard = false,
): Promise<Release> {
  const { worktree: path, base } = entry;
  const known = base === null ? landed : [...landed, base];
  let saved: string | null = null;
  try {
    await showAgain(site, entry);
    saved = await saveTwice(site, path, ownerOf(entry), known);
  } catch (error) {
    if (!discard) return { kind: 'kept', path, reason: messageOf(error) };
  }
  await takeDown(site, path, entry);
  await site.fs.rename(path, await site.trash('tree'));
  await site.fs.removeFile(reasonFile(path));
  await dropEntry(site, entry, known);
  return { kind: 'removed', saved };
}

/** A killed git says nothing about the work: it is asked once more. */
async function saveTwice(...args: Parameters<typeof save>): Promise<string | null> {
  try {
    return await save(...args);
  } catch (error) {
    if (!wasInterrupted(error)) throw error;
    return save(...args);
  }
}

function ownerOf(entry: AdminEntry | null): WorkOwner | null {
  const owner = entry?.owner ?? null;
  return owner?.kind === 'agent' || owner?.kind === 'resolve' ? owner : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A worktree that stays where it is, with everything in it saved, until its task's next attempt takes it over. */
export interface WarmWorktree {
  readonly path: string;
  readonly task: TaskId;
  /** The new ref that keeps what was only there, `null` when nothing was. */
  readonly saved: string | null;
  /** Describes its files as they are; no mark of an agent is in it. */
  readonly index: string;
}

/**
 * Saves what is in an agent's worktree as `releaseWorktree` does, and leaves it in place. `null` when it could not
 * be saved in full, nobody had worked in it, or not all files are its own: then it is to be released.
 */
export async function saveInPlace(
  site: WorktreeSite,
  { worktree: path, owner, base, broken, way }: AdminEntry,
  landed: readonly string[],
): Promise<WarmWorktree | null> {
  if (path === null || owner?.kind !== 'agent' || base === null || broken) return null;
  // The others are made anew as quickly.
  if (way !== 'full') return null;
  if ((await site.files.kind(path)) !== 'folder') return null;
  try {
    const taken = await takeIndexedTree(site, path);
    const { index } = taken;
    try {
      const saved = await saveTaken(site, path, owner, [...landed, base], taken);
      return { path, task: owner.task, saved, index };
    } catch (error) {
      await site.fs.removeFile(index);
      throw error;
    }
  } catch {
    // Whoever releases it finds out, and says, what is wrong with it.
    return null;
  }
}

/** Rejects when the worktree's state cannot be kept in full. */
async function save(
  site: WorktreeSite,
  path: string,
  owner: WorkOwner | null,
  landed: readonly string[],
): Promise<string | null> {
  return saveTaken(site, path, owner, landed, await takeTree(site, path));
}

async function saveTaken(
  site: WorktreeSite,
  path: string,
  owner: WorkOwner | null,
  landed: readonly string[],
  taken: WorktreeTree,
): Promise<string | null> {
  if (taken.missing !== null) throw new Error(taken.missing);
  const filesSaved = !taken.changed || (await keptTrees(site)).has(taken.tree);
  const headSaved = taken.head !== null && (await isSaved(site, taken.head, landed));
  if (filesSaved && headSaved) return null;
  const what = owner === null ? basename(path) : `${owner.task} (${basename(path)})`;
  const commit = await commitTree(site, taken, `Unlanded work of ${what}\n`);
  const folder = `${KEPT_REFS}/${owner?.run ?? site.runId}/${owner?.task ?? basename(path)}`;
  return saveCommit(site, commit, folder);
}

/** The tree goes first: what is left when we are killed in between is an entry without a tree. */
async function removeTree(
  site: WorktreeSite,
  path: string,
  first: AdminEntry | null,
  landed: readonly string[],
): Promise<void> {
  await takeDown(site, path, first);
  await site.fs.rename(path, await site.trash('tree'));
  for (let entry = first; entry !== null; entry = await findAdminEntry(site, path)) {
    if (!isOurs(site, entry) || isNext(first, entry)) return;
    await dropEntry(site, entry, landed);
  }
}

/** Once the tree and its entry have gone, the next agent of the slot may have its worktree there. */
function isNext(first: AdminEntry | null, { owner }: AdminEntry): boolean {
  if (first?.owner?.kind !== 'agent') return false;
  return owner?.kind === 'spare' || (owner?.kind === 'agent' && owner.token > first.owner.token);
}

/** Forgets a worktree: its entry, and its branch when that is saved. */
export async function dropEntry(
  site: WorktreeSite,
  entry: AdminEntry,
  landed: readonly string[],
): Promise<void> {
  await dropAdminEntry(site, entry);
  if (entry.owner?.kind === 'agent') await deleteBranch(site, entry.owner.branch, landed);
}

/** The folder moves out of the way and stays a worktree that git knows, under its new path. */
async function keep(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry | null,
  reason: string,
): Promise<Release> {
  const folder = keptFolder(site.base);
  await site.fs.makeDir(folder);
  const aside = join(folder, `${basename(path)}-${randomUUID().slice(0, 8)}`);
  await site.alone(async () => {
    if (entry?.overlay != null) await unshow(site, path);
    await site.fs.rename(path, aside);
    if (entry === null || entry.broken) return;
    await site.fs.writeAtomic(join(entry.folder, 'gitdir'), `${join(aside, '.git')}\n`);
  });
  if (entry !== null) await showAgain(site, { ...entry, worktree: aside }).catch(() => false);
  // For people; where the disk is full, the folder has to do without.
  await site.fs.replace(reasonFile(aside), `${reason}\n`).catch(() => undefined);
  return { kind: 'kept', path: aside, reason };
}

/** Beside a folder that was kept: why it could not be saved. */
export function reasonFile(keptPath: string): string {
  return `${keptPath}.reason`;
}

/** A tree of ours whose entry is gone: an empty folder, or one whose `.git` file names our repository. */
export async function isAbandonedTree(
  site: Pick<WorktreeSite, 'fs' | 'files' | 'commonDir' | 'base'>,
  path: string,
): Promise<boolean> {
  if (dirname(path) !== site.base || (await site.files.kind(path)) !== 'folder') return false;
  if ((await site.fs.list(path)).length === 0) return true;
  const link = await site.fs.readText(join(path, '.git')).catch(() => null);
  return link?.startsWith(`gitdir: ${join(site.commonDir, 'worktrees')}`) ?? false;
}

function notOurs(path: string): UserError {
  return new UserError(
    'environment',
    `${path} is in the way, and Parallel Executor did not make it.`,
    'Move it away, or set worktree_base to another folder.',
  );
}
