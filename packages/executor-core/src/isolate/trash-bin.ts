import { join } from 'node:path';

import limitConcurrency from 'p-limit';

import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { adminTrashFolder, trashFolder, type WorktreeSite } from './worktree-site';

/** Deletes what was moved to the trash folders of a site. */
export interface TrashBin {
  /** Deletes what is there now, after everything asked for before. Never rejects. */
  empty(site: Place): Promise<void>;
  /** Like `empty`, but resolves after 10 s at the latest when there is a clock. */
  close(site: Place): Promise<void>;
}

type Place = Pick<WorktreeSite, 'base' | 'commonDir'>;

const CLOSE_BUDGET_MS = 10_000;

/**
 * One sweep at a time: deleting costs more than creating and starves everybody else on the disk. What
 * comes meanwhile goes with the next one.
 */
export function createTrashBin(fs: FileSystem, clock: Clock | undefined): TrashBin {
  const oneAtATime = limitConcurrency(1);
  const empty = (site: Place) =>
    oneAtATime(async () => {
      await deleteAll(fs, trashFolder(site.base));
      await deleteAll(fs, adminTrashFolder(site.commonDir));
    });
  return {
    empty,
    close: (site) => (clock === undefined ? empty(site) : atMost(clock, empty(site))),
  };
}

async function deleteAll(fs: FileSystem, folder: string): Promise<void> {
  const names = await fs.list(folder).catch(() => []);
  if (names.length === 0) return;
  // Another process may delete it too, or an agent left a folder we may not write to: the next run tries again.
  await fs.removeTrees(names.map((name) => join(folder, name))).catch(() => undefined);
}

function atMost(clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CLOSE_BUDGET_MS, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}
