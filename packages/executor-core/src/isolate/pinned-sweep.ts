import { join } from 'node:path';

import { readAdminEntries } from './admin-entry';
import { changesFolder } from './overlay-worktree';
import { releaseWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';

/** Of the folder of a pinned checkout: the pid of its maker. */
export const PINNED_NAME = /^base-(\d+)-\d+$/;

/** Removes pinned checkouts that no worktree shows any more, of the processes that `mayGo`. */
export async function clearPinned(
  site: WorktreeSite,
  mayGo: (pid: number) => boolean = () => true,
): Promise<void> {
  const entries = await readAdminEntries(site);
  const shown = new Set(entries.map(({ overlay }) => overlay?.lower));
  for (const name of await site.fs.list(site.base)) {
    const pid = PINNED_NAME.exec(name)?.[1];
    const path = join(site.base, name);
    if (pid === undefined || !mayGo(Number(pid)) || shown.has(path)) continue;
    await releaseWorktree(site, path, []).catch(() => undefined);
  }
}

/**
 * Removes what was written in overlays that git knows nothing of any more: a kill met them before they were
 * shown, or after they were saved. Call while nobody makes one.
 */
export async function clearChanges(site: WorktreeSite): Promise<void> {
  const entries = await readAdminEntries(site);
  const known = new Set(entries.map(({ overlay }) => overlay?.changes));
  const folder = changesFolder(site.base);
  for (const name of await site.fs.list(folder)) {
    const path = join(folder, name);
    if (!known.has(path)) await site.fs.rename(path, await site.trash('tree'));
  }
}
