import { join } from 'node:path';

import type { TaskId } from '../model/ids';
import { findAdminEntry, isOurs } from './admin-entry';
import { populate } from './fill-worktree';
import { linkWorktree } from './link-worktree';
import { releaseWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';

/** A worktree in which a person settles a conflict. */
export interface PersonsWorktree {
  /** Absolute. */
  readonly path: string;
  /** Its folder in git's list of worktrees: where its index, `HEAD` and `MERGE_HEAD` are. */
  readonly gitDir: string;
  /** Commit it was made from. */
  readonly base: string;
}

/** See `WorktreePool.forPerson`. Rejects with `UserError` when the path is somebody else's. */
export async function forPerson(
  site: WorktreeSite,
  task: TaskId,
  commit: string,
): Promise<PersonsWorktree> {
  const path = pathOf(site, task);
  await releaseWorktree(site, path, []);
  const entry = await linkWorktree(site, path, commit, { kind: 'resolve', run: site.runId, task });
  await populate(site, path, commit, entry);
  return { path, gitDir: entry.folder, base: commit };
}

/** See `WorktreePool.personsWorktree`. One that a kill left half-made counts as none. */
export async function personsWorktree(
  site: WorktreeSite,
  task: TaskId,
): Promise<PersonsWorktree | null> {
  const path = pathOf(site, task);
  const entry = await findAdminEntry(site, path);
  if (entry?.owner?.kind !== 'resolve' || entry.owner.run !== site.runId) return null;
  if (!isOurs(site, entry) || entry.broken || entry.base === null) return null;
  if (!(await site.fs.exists(path))) return null;
  return { path, gitDir: entry.folder, base: entry.base };
}

function pathOf({ base }: WorktreeSite, task: TaskId): string {
  return join(base, `resolve-${task}`);
}
