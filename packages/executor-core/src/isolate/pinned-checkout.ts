import { join } from 'node:path';

import type { AdminEntry } from './admin-entry';
import { writeFiles } from './fill-worktree';
import { linkWorktree } from './link-worktree';
import { clearPinned } from './pinned-sweep';
import { releaseWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';

/** All files of a commit, in a folder nobody works in: `<base>/base-<pid>-<n>`. */
export interface PinnedCheckout {
  readonly path: string;
  readonly commit: string;
  readonly entry: AdminEntry;
}

/** Several pools of one process, and several processes, may have some. */
let made = 0;

/** The checkout that the overlays of one pool show. */
export class PinnedCheckouts {
  private making: Promise<PinnedCheckout> | null = null;

  constructor(private readonly isAlive: (pid: number) => boolean) {}

  /** Made at the first call, from `commit`; a later one gets the same, whatever it asks for. */
  async get(site: WorktreeSite, commit: string): Promise<PinnedCheckout> {
    const made = await this.making;
    // Somebody may have removed it.
    if (made != null && !(await site.fs.exists(made.path))) this.making = null;
    this.making ??= make(site, commit).catch((error: unknown) => {
      this.making = null;
      throw error;
    });
    return this.making;
  }

  /** Removes its own, and those of processes that are gone, unless a worktree still shows them. */
  async clear(site: WorktreeSite): Promise<void> {
    await this.making?.catch(() => undefined);
    this.making = null;
    await clearPinned(site, (pid) => pid === process.pid || !this.isAlive(pid));
  }
}

async function make(site: WorktreeSite, commit: string): Promise<PinnedCheckout> {
  const path = join(site.base, `base-${process.pid}-${(made += 1)}`);
  await releaseWorktree(site, path, []);
  const entry = await linkWorktree(site, path, commit, { kind: 'base', run: site.runId });
  await writeFiles(site, path, commit);
  return { path, commit, entry };
}
