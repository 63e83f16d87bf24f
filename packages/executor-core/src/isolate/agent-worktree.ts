import { join } from 'node:path';

import { slotName, type TaskId } from '../model/ids';
import { type AdminEntry, findAdminEntry, markReady } from './admin-entry';
import { branchTip, isCheckedOut, saveBranchTip } from './branch-safety';
import { populate, populating } from './fill-worktree';
import { linkWorktree } from './link-worktree';
import { showOver } from './overlay-worktree';
import type { PinnedCheckout, PinnedCheckouts } from './pinned-checkout';
import { rewarmWorktree } from './rewarm-worktree';
import type { SpareWorktrees } from './spare-worktrees';
import { releaseKnown, releaseWorktree, type WarmWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';
import type { WorktreeWay } from './worktree-way';

/** What an agent's worktree is made for. `commit` is its base, `token` the fence of its lease. */
export interface WorktreeRequest {
  readonly slot: number;
  readonly task: TaskId;
  readonly commit: string;
  readonly token: number;
  /** How it comes to its files; default `full`. */
  readonly way?: WorktreeWay;
  /** Whether somebody holds the lease with this token; default: nobody does. */
  readonly isHeld?: (token: number) => Promise<boolean>;
}

export interface AgentWorktree {
  readonly path: string;
  /** Short name. */
  readonly branch: string;
}

/** Where an agent gets its worktree, and what git knows of that path. */
interface Place {
  readonly path: string;
  readonly entry: AdminEntry | null;
}

/**
 * Where the next agent of a slot gets its worktree: at `<base>/agent-<slot>`, or beside it while the work of
 * the one before, which has left the slot and holds its lease still, is made a candidate there. As long as git
 * has an entry for that one the place is not free, even without its tree: somebody is removing it.
 */
export async function placeForAgent(
  site: WorktreeSite,
  { slot, token, isHeld = () => Promise.resolve(false) }: WorktreeRequest,
): Promise<Place> {
  const wanted = join(site.base, slotName(slot));
  for (let count = 1; ; count += 1) {
    const path = count === 1 ? wanted : `${wanted}.${count}`;
    const entry = await findAdminEntry(site, path);
    const owner = entry?.owner;
    const isFree = owner?.kind !== 'agent' || owner.token === token || !(await isHeld(owner.token));
    if (isFree) return { path, entry };
  }
}

/**
 * Makes the worktree of an attempt in its place, on its own branch: of one its task left `warm`, of a spare one, or
 * anew. `freshIndex`: see `WorktreePool.freshIndex`.
 */
export async function createForAgent(
  site: WorktreeSite,
  { spares, pinned }: { readonly spares: SpareWorktrees; readonly pinned: PinnedCheckouts },
  { path, entry: before }: Place,
  request: WorktreeRequest,
  warm: WarmWorktree | null,
): Promise<AgentWorktree & { readonly freshIndex: string | null }> {
  const { slot, task, commit, token, way = { kind: 'full' } } = request;
  const mayTakeOver = warm?.task === task && way.kind === 'full';
  if (!mayTakeOver) await releaseKnown(site, path, before, [commit]);
  const branch = await readyBranch(site, `${slotName(slot)}-${task}`, path, request);
  const owner = { kind: 'agent', run: site.runId, task, branch, token } as const;
  if (mayTakeOver) {
    const taken = await populating(() => rewarmWorktree(site, warm, commit, owner));
    if (taken !== null) {
      return { path, branch, freshIndex: await markReady(site.fs, taken, commit) };
    }
    await releaseWorktree(site, path, [commit]);
  }
  if (way.kind !== 'full') spares.stop();
  const spare = way.kind === 'full' ? await spares.take(site, path, commit, owner) : null;
  const shown = way.kind === 'overlay' ? await pinned.get(site, commit) : null;
  const entry = spare?.entry ?? (await linkWorktree(site, path, commit, owner));
  if (shown !== null) await showFiles(site, path, entry, shown);
  const there = (spare ?? shown)?.commit === commit;
  return { path, branch, freshIndex: await populate(site, path, commit, entry, { there, way }) };
}

/** A tree that cannot be shown is taken away again. */
async function showFiles(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry,
  shown: PinnedCheckout,
): Promise<void> {
  try {
    await showOver(site, path, entry, shown);
  } catch (error) {
    await releaseWorktree(site, path, []).catch(() => undefined);
    throw error;
  }
}

/** A branch that may be moved: what only it holds is saved, and one a foreign worktree is on stays theirs. */
async function readyBranch(
  site: WorktreeSite,
  wanted: string,
  path: string,
  { task, commit }: WorktreeRequest,
): Promise<string> {
  // What is not there holds nothing, and nobody is on it.
  if ((await branchTip(site, wanted)) === null) return wanted;
  const taken = await isCheckedOut(site, wanted, path);
  const branch = taken ? `${wanted}-${site.runId.replace(/^\D+/, '')}` : wanted;
  await saveBranchTip(site, branch, task, [commit]);
  return branch;
}
