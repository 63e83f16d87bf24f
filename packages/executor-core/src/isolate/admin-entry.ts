import { basename, dirname, join, resolve } from 'node:path';

import { isRunId, parseTaskId, type RunId, type TaskId, taskIdProblem } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import { type OverlayRecord, readOverlay } from './overlay-record';
import { readUnchanged } from './unchanged-text';
import type { WorktreeSite } from './worktree-site';
import type { WorktreeWay } from './worktree-way';

/**
 * Who made a worktree and what for. It is the reason of git's worktree lock, which git writes before
 * anything else: so even a half-made entry tells whose it is, and no `git worktree prune` takes it.
 */
export type WorktreeOwner =
  | {
      readonly kind: 'agent';
      readonly run: RunId;
      readonly task: TaskId;
      /** Short name of the branch made with the worktree. */
      readonly branch: string;
      readonly token: number;
    }
  /** Where a person settles the conflict of a task. */
  | { readonly kind: 'resolve'; readonly run: RunId; readonly task: TaskId }
  | { readonly kind: 'verify' | 'spare' | 'base'; readonly run: RunId };

/** What git knows about one linked worktree, read by hand: git itself dies of a half-made entry. */
export interface AdminEntry {
  /** `<commonDir>/worktrees/<id>`. */
  readonly folder: string;
  /** Absolute path of the worktree; `null` when git did not come to write it. */
  readonly worktree: string | null;
  /** Full name of the branch HEAD is on; `null` when detached or unknown. */
  readonly branch: string | null;
  /** `null` for a worktree that is not ours. */
  readonly owner: WorktreeOwner | null;
  /** `true` when a file is missing without which git refuses every command about worktrees. */
  readonly broken: boolean;
  /**
   * Commit the worktree was made from, written once its tree was complete. `null` before that: nobody
   * has worked in it yet.
   */
  readonly base: string | null;
  /** `FileSystem.stamp` of its index when the tree was complete: as long as it is that, nobody staged or marked anything. */
  readonly freshIndex: string | null;
  /** How it came to its files. */
  readonly way: WorktreeWay['kind'];
  /** What it is shown from; `null` when its files are its own. */
  readonly overlay: OverlayRecord | null;
}

type Where = Pick<WorktreeSite, 'fs' | 'commonDir'>;

/** Written by us into an entry once its tree is complete. */
const READY = 'parallel-ready';
const AGENT_REASON = /^parallel (\S+): (\S+) on (\S+) \(lease (\d+)\)$/;
const RESOLVE_REASON = /^parallel (\S+): conflict of (\S+)$/;
const OTHER_REASON = /^parallel (\S+): (verification|spare|base)$/;

/** The lock reason for a worktree; `parseOwner` reads it back. */
export function ownerText(owner: WorktreeOwner): string {
  if (owner.kind === 'resolve') return `parallel ${owner.run}: conflict of ${owner.task}`;
  if (owner.kind !== 'agent')
    return `parallel ${owner.run}: ${owner.kind === 'verify' ? 'verification' : owner.kind}`;
  return `parallel ${owner.run}: ${owner.task} on ${owner.branch} (lease ${owner.token})`;
}

/** The owner named by a lock reason, or `null` when we did not write it. */
export function parseOwner(reason: string): WorktreeOwner | null {
  const [, other, what] = OTHER_REASON.exec(reason) ?? [];
  if (other !== undefined) {
    const kind = what === 'spare' || what === 'base' ? what : 'verify';
    return isRunId(other) ? { kind, run: other } : null;
  }
  const [, resolved, conflict = ''] = RESOLVE_REASON.exec(reason) ?? [];
  if (resolved !== undefined) {
    if (!isRunId(resolved) || taskIdProblem(conflict) !== null) return null;
    return { kind: 'resolve', run: resolved, task: parseTaskId(conflict) };
  }
  const [, run, task, branch, token] = AGENT_REASON.exec(reason) ?? [];
  if (run === undefined || task === undefined || branch === undefined) return null;
  if (!isRunId(run) || taskIdProblem(task) !== null) return null;
  return { kind: 'agent', run, task: parseTaskId(task), branch, token: Number(token) };
}

/** Every linked worktree of the repository, ours and foreign. */
export async function readAdminEntries({ fs, commonDir }: Where): Promise<readonly AdminEntry[]> {
  const parent = join(commonDir, 'worktrees');
  const names = await fs.list(parent);
  return Promise.all(names.map((name) => readEntry(fs, join(parent, name))));
}

/** The entry of the worktree at `path`, or `null` when git knows none there. */
export async function findAdminEntry(
  { fs, commonDir }: Where,
  path: string,
): Promise<AdminEntry | null> {
  const parent = join(commonDir, 'worktrees');
  const isIt = async (name: string): Promise<boolean> =>
    (await worktreeOf(fs, join(parent, name))) === path;
  // Nearly always it has the name of its folder, or the folder says where it is.
  if (await isIt(basename(path))) return readEntry(fs, join(parent, basename(path)));
  const link = (await fs.readText(join(path, '.git')).catch(() => null)) ?? '';
  const linked = basename(/^gitdir: (.+)$/m.exec(link)?.[1] ?? '');
  if (linked !== '' && (await isIt(linked))) return readEntry(fs, join(parent, linked));
  const moved = linked === '' ? null : await readEntry(fs, join(parent, linked));
  if (moved?.owner?.kind === 'spare' && moved.worktree !== null) {
    // A kill met it on its way to an agent.
    if (!(await fs.exists(moved.worktree))) return { ...moved, worktree: path };
  }
  const names = await fs.list(parent);
  const found = await Promise.all(names.map(isIt));
  const name = names.find((_, at) => found[at]);
  return name === undefined ? null : readEntry(fs, join(parent, name));
}

/** Full names of the branches that worktrees are on, by the path of the worktree. */
export async function checkedOutBranches({
  fs,
  commonDir,
}: Where): Promise<readonly { readonly branch: string; readonly folder: string }[]> {
  const parent = join(commonDir, 'worktrees');
  const folders = (await fs.list(parent)).map((name) => join(parent, name));
  const heads = await Promise.all(folders.map((folder) => readUnchanged(fs, join(folder, 'HEAD'))));
  return folders.flatMap((folder, at) => {
    const branch = branchOf(heads[at] ?? '');
    return branch === null ? [] : [{ branch, folder }];
  });
}

/** `true` when the entry is ours to remove: made by us, for a folder right below the base. */
export function isOurs(site: Pick<WorktreeSite, 'base'>, entry: AdminEntry): boolean {
  if (entry.owner === null) return false;
  return entry.worktree === null || dirname(entry.worktree) === site.base;
}

/**
 * Marks the tree as complete; from now on the worktree is saved before it is removed. Resolves with
 * the stamp of its index.
 */
export async function markReady(
  fs: FileSystem,
  entry: AdminEntry,
  base: string,
  way: WorktreeWay['kind'] = 'full',
): Promise<string | null> {
  const stamp = await fs.stamp(join(entry.folder, 'index'));
  if (entry.owner === null) return stamp;
  const lines = [base, ownerText(entry.owner), stamp ?? '', way, ''];
  await fs.writeAtomic(join(entry.folder, READY), lines.join('\n'));
  return stamp;
}

/** Removes an entry in one step (a half-deleted one would stop git). Call inside `alone`. */
export async function dropAdminEntry(site: WorktreeSite, entry: AdminEntry): Promise<void> {
  await site.fs.rename(entry.folder, await site.trash('admin'));
}

async function readEntry(fs: FileSystem, folder: string): Promise<AdminEntry> {
  const read = async (name: string) => (await fs.readText(join(folder, name)))?.trim() ?? '';
  const [gitdir, commondir, head, reason, ready] = await Promise.all(
    ['gitdir', 'commondir', 'HEAD', 'locked', READY].map(read),
  );
  const [base, readyReason = '', freshIndex, way] = (ready ?? '').split('\n');
  const broken = !gitdir || !commondir || !head;
  return {
    folder,
    worktree: gitdir ? dirname(resolve(folder, gitdir)) : null,
    branch: branchOf(head ?? ''),
    // The lock can be taken off by an agent, the other file is not known to anybody.
    owner: parseOwner(reason ?? '') ?? parseOwner(readyReason),
    broken,
    base: base || null,
    freshIndex: freshIndex || null,
    overlay: await readOverlay(fs, folder),
    way: way === 'sparse' || way === 'overlay' ? way : 'full',
  };
}

async function worktreeOf(fs: FileSystem, folder: string): Promise<string | null> {
  const gitdir = (await readUnchanged(fs, join(folder, 'gitdir')))?.trim();
  return gitdir ? dirname(resolve(folder, gitdir)) : null;
}

function branchOf(head: string): string | null {
  return /^ref: (\S+)$/.exec(head.trim())?.[1] ?? null;
}
