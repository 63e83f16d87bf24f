import { join } from 'node:path';

import type { TaskId } from '../model/ids';
import { checkedOutBranches, findAdminEntry } from './admin-entry';
import { isSaved, KEPT_REFS, saveCommit } from './saved-work';
import type { WorktreeSite } from './worktree-site';

/** Where branches are looked at: no folder of worktrees need be there. */
type Where = Pick<WorktreeSite, 'git' | 'fs' | 'root' | 'commonDir'>;

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

/** Why a branch of ours (short name) has to stay; `null` when nothing is lost with it. */
export async function branchHold(
  site: Where,
  branch: string,
  landed: readonly string[],
): Promise<'unsaved' | 'checked-out' | null> {
  const tip = await branchTip(site, branch);
  if (tip === null) return null;
  if (!(await isSaved(site, tip, landed))) return 'unsaved';
  return (await isCheckedOut(site, branch)) ? 'checked-out' : null;
}

/**
 * Deletes a branch of ours, only when its tip is saved and nobody has it checked out; compare-and-swap
 * against a late commit. `true` when it is gone.
 */
export async function deleteBranch(
  site: Where,
  branch: string,
  landed: readonly string[],
): Promise<boolean> {
  const tip = await branchTip(site, branch);
  if (tip === null) return true;
  if ((await branchHold(site, branch, landed)) !== null) return false;
  const objects = site.git.objects(site.root);
  return (await objects.moveRefs([`delete refs/heads/${branch} ${tip}`])).ok;
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

/** The commit of a branch (short name); `null` when there is none. */
export function branchTip({ git, root }: Where, branch: string): Promise<string | null> {
  return git.objects(root).resolve(`refs/heads/${branch}^{commit}`);
}
