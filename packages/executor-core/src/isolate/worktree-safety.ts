import { randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';

import type { TaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { wasInterrupted } from '../ports/git';
import {
  type AdminEntry,
  checkedOutBranches,
  dropAdminEntry,
  findAdminEntry,
  isOurs,
  type WorktreeOwner,
} from './admin-entry';
import { commitTree, takeTree } from './snapshot-worktree';
import { keptFolder, type WorktreeSite } from './worktree-site';

/** What became of a worktree that was to be removed. */
export type Release =
  /** There was none. */
  | { readonly kind: 'gone' }
  /** Removed; `saved` is the new ref that keeps what was only there, `null` when nothing was. */
  | { readonly kind: 'removed'; readonly saved: string | null }
  /** Could not be saved in full, so it was moved to `path`, where we never touch it again. */
  | { readonly kind: 'kept'; readonly path: string; readonly reason: string };

type AgentOwner = Extract<WorktreeOwner, { readonly kind: 'agent' }>;

/** A commit under a ref that was made of everything in a worktree, after its agent had ended. */
export interface KeptWork {
  readonly ref: string;
  readonly commit: string;
}

/** Refs under which finished and salvaged work is kept until it is proven to have landed. */
const KEPT_REFS = 'refs/parallel';
/** Checkpoints, `wip-<attempt>`, are moved on and dropped again: what only they hold is not saved. */
const CHECKPOINTS = `${KEPT_REFS}/*/*/wip-*`;

/**
 * The one place that decides whether a worktree may go. It goes only on proof that nothing is lost:
 * - nobody ever worked in it, or it is one for verification; or
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
  const entry = await findAdminEntry(site, path);
  const present = (await site.files.kind(path)) !== null;
  const ours = entry === null ? await isAbandonedTree(site, path) : isOurs(site, entry);
  if (!ours && !present) return { kind: 'gone' };
  if (!ours) throw notOurs(path);
  const known = entry?.base == null ? landed : [...landed, entry.base];
  const worthless = entry !== null && (entry.owner?.kind === 'verify' || entry.base === null);
  const taken = kept !== null && (await isKept(site, kept));
  if (present && !worthless && !taken) return saveAndRemove(site, path, entry, known);
  await removeTree(site, path, known);
  return present ? { kind: 'removed', saved: null } : { kind: 'gone' };
}

/**
 * `true` when nothing is lost with `commit`: it is reachable from one of `landed` or from a ref under
 * `refs/parallel/`, or such a ref has exactly its files (a candidate is an agent's commits in one).
 * `false` also when git cannot tell.
 */
export async function isSaved(
  site: Pick<WorktreeSite, 'git' | 'commonDir'>,
  commit: string,
  landed: readonly string[],
): Promise<boolean> {
  if (landed.includes(commit)) return true;
  const { git, commonDir: cwd } = site;
  const unsaved = await git.run(
    [
      ...['rev-list', '--max-count=1', commit, '--not'],
      ...[`--exclude=${CHECKPOINTS}`, `--glob=${KEPT_REFS}/*`, ...landed],
    ],
    { cwd },
  );
  if (unsaved.exitCode !== 0) return false;
  if (unsaved.stdout.trim() === '') return true;
  const tree = await git.run(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], { cwd });
  return tree.exitCode === 0 && (await keptTrees(site)).has(tree.stdout.trim());
}

/**
 * Keeps the tip of a branch that is about to be moved, unless it is saved already. Resolves with the
 * new ref or `null`.
 */
export async function saveBranchTip(
  site: WorktreeSite,
  branch: string,
  task: TaskId,
  landed: readonly string[],
): Promise<string | null> {
  const tip = await branchTip(site, branch);
  if (tip === null || (await isSaved(site, tip, landed))) return null;
  return saveCommit(site, tip, `${KEPT_REFS}/${site.runId}/${task}`);
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
    saved = await saveTwice(site, path, ownerOf(entry), landed);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return keep(site, path, entry, messageOf(error));
  }
  await removeTree(site, path, landed);
  return { kind: 'removed', saved };
}

/**
 * Tries again to save what `releaseWorktree` had to keep as a folder, a moment when git was killed, the disk
 * was full. What cannot be saved still, stays as it is.
 */
export async function releaseKept(
  site: WorktreeSite,
  entry: AdminEntry & { readonly worktree: string },
  landed: readonly string[],
): Promise<Release> {
  const { worktree: path, base } = entry;
  const known = base === null ? landed : [...landed, base];
  let saved: string | null;
  try {
    saved = await saveTwice(site, path, ownerOf(entry), known);
  } catch (error) {
    return { kind: 'kept', path, reason: messageOf(error) };
  }
  await site.fs.rename(path, await site.trash('tree'));
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

function ownerOf(entry: AdminEntry | null): AgentOwner | null {
  return entry?.owner?.kind === 'agent' ? entry.owner : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Rejects when the worktree's state cannot be kept in full. */
async function save(
  site: WorktreeSite,
  path: string,
  owner: AgentOwner | null,
  landed: readonly string[],
): Promise<string | null> {
  const taken = await takeTree(site, path);
  if (taken.missing !== null) throw new Error(taken.missing);
  const filesSaved = !taken.changed || (await keptTrees(site)).has(taken.tree);
  const headSaved = taken.head !== null && (await isSaved(site, taken.head, landed));
  if (filesSaved && headSaved) return null;
  const what = owner === null ? basename(path) : `${owner.task} (${basename(path)})`;
  const commit = await commitTree(site, taken, `Unlanded work of ${what}\n`);
  const folder = `${KEPT_REFS}/${owner?.run ?? site.runId}/${owner?.task ?? basename(path)}`;
  return saveCommit(site, commit, folder);
}

async function saveCommit(site: WorktreeSite, commit: string, folder: string): Promise<string> {
  const ref = `${folder}/salvage-${commit.slice(0, 8)}`;
  await site.git.text(['update-ref', ref, commit], { cwd: site.commonDir });
  return ref;
}

/** Trees of the commits kept under our refs: a candidate has the files of the worktree it was made of. */
async function keptTrees({
  git,
  commonDir,
}: Pick<WorktreeSite, 'git' | 'commonDir'>): Promise<ReadonlySet<string>> {
  const format = '--format=%(tree) %(refname)';
  const listed = await git.text(['for-each-ref', format, `${KEPT_REFS}/`], { cwd: commonDir });
  const kept = listed.split('\n').filter((line) => !/\/wip-\d+$/.test(line));
  return new Set(kept.map((line) => line.split(' ')[0] ?? '').filter((tree) => tree !== ''));
}

/** The tree goes first: what is left when we are killed in between is an entry without a tree. */
async function removeTree(
  site: WorktreeSite,
  path: string,
  landed: readonly string[],
): Promise<void> {
  await site.fs.rename(path, await site.trash('tree'));
  for (;;) {
    const entry = await findAdminEntry(site, path);
    if (entry === null || !isOurs(site, entry)) return;
    await dropEntry(site, entry, landed);
  }
}

async function dropEntry(
  site: WorktreeSite,
  entry: AdminEntry,
  landed: readonly string[],
): Promise<void> {
  await dropAdminEntry(site, entry);
  if (entry.owner?.kind === 'agent') await deleteBranch(site, entry.owner.branch, landed);
}

/** Only when its tip is saved and nobody has it checked out; compare-and-swap against a late commit. */
async function deleteBranch(
  site: WorktreeSite,
  branch: string,
  landed: readonly string[],
): Promise<void> {
  const tip = await branchTip(site, branch);
  if (tip === null || !(await isSaved(site, tip, landed))) return;
  if (await isCheckedOut(site, branch)) return;
  await site.git.objects(site.root).moveRefs([`delete refs/heads/${branch} ${tip}`]);
}

/** `true` when the main checkout or a linked worktree other than the one at `except` is on the branch. */
export async function isCheckedOut(
  site: Pick<WorktreeSite, 'fs' | 'commonDir'>,
  branch: string,
  except: string | null = null,
): Promise<boolean> {
  const ref = `refs/heads/${branch}`;
  const head = await site.fs.readText(join(site.commonDir, 'HEAD'));
  if (head?.trim() === `ref: ${ref}`) return true;
  const holders = (await checkedOutBranches(site)).filter((holder) => holder.branch === ref);
  if (holders.length === 0 || except === null) return holders.length > 0;
  const own = (await findAdminEntry(site, except))?.folder;
  return holders.some(({ folder }) => folder !== own);
}

function branchTip(
  { git, root }: Pick<WorktreeSite, 'git' | 'root'>,
  branch: string,
): Promise<string | null> {
  return git.objects(root).resolve(`refs/heads/${branch}^{commit}`);
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
    await site.fs.rename(path, aside);
    if (entry === null || entry.broken) return;
    await site.fs.writeAtomic(join(entry.folder, 'gitdir'), `${join(aside, '.git')}\n`);
  });
  return { kind: 'kept', path: aside, reason };
}

/** A tree of ours whose entry is gone: an empty folder, or one whose `.git` file names our repository. */
async function isAbandonedTree(site: WorktreeSite, path: string): Promise<boolean> {
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
