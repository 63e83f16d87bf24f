import { join } from 'node:path';

import type { TaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import {
  type AgentWorktree,
  createForAgent,
  placeForAgent,
  type WorktreeRequest,
} from './agent-worktree';
import { findAdminEntry, isOurs, readAdminEntries } from './admin-entry';
import type { AdminEntry, WorktreeOwner } from './admin-entry';
import { type Snapshot, snapshotWorktree, type SnapshotRequest } from './snapshot-worktree';
import { linkWorktree } from './link-worktree';
import { forPerson, personsWorktree, type PersonsWorktree } from './persons-worktree';
import { PinnedCheckouts } from './pinned-checkout';
import { SpareWorktrees } from './spare-worktrees';
import { populate, writeFiles } from './fill-worktree';
import { type Release, type KeptWork, releaseWorktree, type WarmWorktree } from './worktree-safety';
import { openWorktreeSite, type WorktreeSite, type WorktreeSiteOptions } from './worktree-site';
import { createTrashBin, type TrashBin } from './trash-bin';

export interface WorktreePoolOptions extends WorktreeSiteOptions {
  /** With it, `close` does not wait for more than `CLOSE_BUDGET_MS`. */
  readonly clock?: Clock;
  /** Whether there is a process of this machine with this id; with it, `close` removes what dead ones had made ahead. */
  readonly isAlive?: (pid: number) => boolean;
}

export interface OwnedWorktree {
  readonly path: string;
  readonly owner: WorktreeOwner;
}

/**
 * The worktrees of one run: `<base>/agent-<slot>` for agents (see `placeForAgent`), `<base>/verify-<n>` for checks,
 * `<base>/resolve-<task>` for people, `<base>/spare-<pid>-<n>` for agents to come, `<base>/base-<pid>-<n>` for what overlays show.
 */
export interface WorktreePool {
  /**
   * A fresh worktree with the files of `commit`, on the branch `agent-<slot>-<task>`. What is left at
   * its path, or on that branch, is saved before. Rejects with `GitError` or `UserError`.
   */
  create(request: WorktreeRequest): Promise<AgentWorktree>;
  /** Makes a worktree that `create` will use, unless `wanted` wait already; `false` when none was made. */
  addSpare(commit: string, wanted: number): Promise<boolean>;
  /** `FileSystem.stamp` of a worktree's index when this pool had made it; `null` when it did not. */
  freshIndex(path: string): string | null;
  /**
   * A worktree without a branch, named `verify-<n>`, with exactly the files of `commit` and what git
   * ignores. One that exists is moved there, which is much quicker than making it. One user at a time.
   */
  detached(name: string, commit: string): Promise<{ readonly path: string }>;
  /**
   * A fresh worktree named `resolve-<task>`, without a branch, with the files of `commit`, for a person: a
   * sweep leaves it alone. What is left at its path is saved before.
   */
  forPerson(task: TaskId, commit: string): Promise<PersonsWorktree>;
  /** The one that `forPerson` made for a task, in whatever process; `null` when there is none. */
  personsWorktree(task: TaskId): Promise<PersonsWorktree | null>;
  /** Keeps what is in a worktree under a ref; see `snapshotWorktree`. */
  snapshot(request: SnapshotRequest): Promise<Snapshot>;
  /**
   * Removes a worktree once nothing is lost with it; see `releaseWorktree`. `gone` also when what is there
   * was made under another lease than the one this pool made it under.
   */
  remove(path: string, landed?: readonly string[], kept?: KeptWork): Promise<Release>;
  /** Our worktrees that exist, of every run. */
  list(): Promise<readonly OwnedWorktree[]>;
  /** Forgets our worktrees whose folder somebody removed. */
  prune(): Promise<void>;
  /** Removes what waits for nobody, and deletes removed trees; what is not done within 10 s is left for the next run. */
  close(): Promise<void>;
  /** The next attempt of its task in its slot takes this worktree over; what nobody took, `close` removes. */
  keepWarm(warm: readonly WarmWorktree[]): void;
  /** For `sweepWorktrees`. */
  site(): Promise<WorktreeSite>;
}

/** What is known of a worktree that this pool made for an agent. */
interface Made {
  readonly token: number;
  readonly freshIndex: string | null;
}

const VERIFY_NAME = /^verify-\d+$/;

/** Nothing happens on disk before the first call that needs it. */
export function createWorktreePool(options: WorktreePoolOptions): WorktreePool {
  let opened: Promise<WorktreeSite> | null = null;
  const site = () => (opened ??= openWorktreeSite(options));
  const bin = createTrashBin(options.fs, options.clock);
  const { isAlive = () => true } = options;
  const spares = new SpareWorktrees(writeFiles, isAlive);
  const pinned = new PinnedCheckouts(isAlive);
  const stock = { spares, pinned };
  const made = new Map<string, Made>();
  const warm = new Map<string, WarmWorktree>();
  const remove: WorktreePool['remove'] = async (path, landed = [], kept) => {
    const at = await site();
    // Of another attempt by now, whose process took this one's place: what was here, it has saved.
    if (await isOfAnother(at, path, made.get(path)?.token)) return { kind: 'gone' };
    const release = await releaseWorktree(at, path, landed, kept);
    bin.fill(at);
    return release;
  };
  const create: WorktreePool['create'] = async (request) => {
    const at = await site();
    const place = await placeForAgent(at, request);
    const left = warm.get(place.path) ?? null;
    warm.delete(place.path);
    const { path, branch, freshIndex } = await createForAgent(at, stock, place, request, left);
    if (left !== null) bin.fill(at);
    made.set(path, { token: request.token, freshIndex });
    return { path, branch };
  };
  return {
    site,
    create,
    remove,
    addSpare: async (commit, wanted) => spares.add(await site(), commit, wanted),
    freshIndex: (path) => made.get(path)?.freshIndex ?? null,
    detached: async (name, commit) => ({ path: await moveOrCreate(await site(), name, commit) }),
    forPerson: async (task, commit) => forPerson(await site(), task, commit),
    personsWorktree: async (task) => personsWorktree(await site(), task),
    snapshot: async (request) => snapshotWorktree(await site(), request),
    list: async () => listOwned(await site()),
    prune: async () => prune(await site()),
    keepWarm: (left) => {
      for (const one of left) warm.set(one.path, one);
    },
    close: async () => {
      // A pool that was never used clears away after those that were killed, too.
      const needed = opened !== null || (await spares.areLeft(options));
      const at = needed ? await site().catch(() => null) : null;
      await removeUnused(warm, remove, options.fs);
      if (at !== null) await clearAway(at, [spares, pinned], bin);
    },
  };
}

async function removeUnused(
  warm: Map<string, WarmWorktree>,
  remove: WorktreePool['remove'],
  fs: FileSystem,
): Promise<void> {
  const unused = [...warm.values()];
  warm.clear();
  for (const { path, index } of unused) {
    await remove(path).catch(() => undefined);
    await fs.removeFile(index);
  }
}

async function clearAway(
  site: WorktreeSite,
  stocks: readonly { clear(site: WorktreeSite): Promise<void> }[],
  bin: TrashBin,
): Promise<void> {
  for (const stock of stocks) await stock.clear(site);
  await bin.close(site);
}

async function isOfAnother(
  site: WorktreeSite,
  path: string,
  token: number | undefined,
): Promise<boolean> {
  if (token === undefined) return false;
  const owner = (await findAdminEntry(site, path))?.owner;
  return owner?.kind === 'agent' && owner.token !== token;
}

async function moveOrCreate(site: WorktreeSite, name: string, commit: string): Promise<string> {
  if (!VERIFY_NAME.test(name)) throw new TypeError(`Bad name for a verify worktree: ${name}.`);
  const path = join(site.base, name);
  const entry = await findAdminEntry(site, path);
  if (entry?.owner?.kind === 'verify' && entry.base !== null && !entry.broken) {
    if (await moveTo(site, entry, path, commit)) return path;
  }
  await releaseWorktree(site, path, []);
  const made = await linkWorktree(site, path, commit, { kind: 'verify', run: site.runId });
  await populate(site, path, commit, made);
  return path;
}

/** `false` when the worktree is in a state git cannot leave, such as with a lock of a killed git. */
async function moveTo(
  { git }: WorktreeSite,
  entry: AdminEntry,
  path: string,
  commit: string,
): Promise<boolean> {
  // Named explicitly: without its `.git` file, git would clean the main checkout around it.
  const at = { cwd: path, env: { GIT_DIR: entry.folder, GIT_WORK_TREE: path } };
  const moved = await git.run(['checkout', '--quiet', '--detach', '--force', commit], at);
  if (moved.exitCode !== 0) return false;
  return (await git.run(['clean', '-ffdq'], at)).exitCode === 0;
}

async function listOwned(site: WorktreeSite): Promise<readonly OwnedWorktree[]> {
  const owned: OwnedWorktree[] = [];
  for (const entry of await readAdminEntries(site)) {
    const { worktree: path, owner } = entry;
    if (path === null || owner === null || !isOurs(site, entry)) continue;
    if (await site.fs.exists(path)) owned.push({ path, owner });
  }
  return owned;
}

async function prune(site: WorktreeSite): Promise<void> {
  for (const { worktree, ...rest } of await readAdminEntries(site)) {
    if (worktree === null || !isOurs(site, { worktree, ...rest })) continue;
    if (!(await site.fs.exists(worktree))) await releaseWorktree(site, worktree, []);
  }
}
