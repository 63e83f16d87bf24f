import { join } from 'node:path';

import limitConcurrency from 'p-limit';

import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { adminTrashFolder, trashFolder, type WorktreeSite } from './worktree-site';

/** Deletes what was moved to the trash folders of a site. */
export interface TrashBin {
  /** Something was moved there: it is deleted within a second, together with what follows it. */
  fill(site: Place): void;
  /** Deletes what is there; resolves after 10 s at the latest when there is a clock. Never rejects. */
  close(site: Place): Promise<void>;
}

type Place = Pick<WorktreeSite, 'base' | 'commonDir'>;

const CLOSE_BUDGET_MS = 10_000;
/** A sweep starts a process: many removals share one. */
const SWEEP_AFTER_MS = 1000;

/** One sweep at a time: deleting costs more than creating and starves everybody else on the disk. */
export function createTrashBin(fs: FileSystem, clock: Clock | undefined): TrashBin {
  const oneAtATime = limitConcurrency(1);
  let planned: (() => void) | null = null;
  const sweep = (site: Place) => oneAtATime(() => deleteAll(fs, site));
  return {
    fill(site) {
      if (clock === undefined) void sweep(site);
      else
        planned ??= clock.after(SWEEP_AFTER_MS, () => {
          planned = null;
          void sweep(site);
        });
    },
    close(site) {
      planned?.();
      planned = null;
      return clock === undefined ? sweep(site) : atMost(clock, sweep(site));
    },
  };
}

async function deleteAll(fs: FileSystem, { base, commonDir }: Place): Promise<void> {
  const trees: string[] = [];
  for (const folder of [trashFolder(base), adminTrashFolder(commonDir)]) {
    const names = await fs.list(folder).catch(() => []);
    trees.push(...names.map((name) => join(folder, name)));
  }
  // Another process may delete it too, or an agent left a folder we may not write to: the next run tries again.
  if (trees.length > 0) await fs.removeTrees(trees).catch(() => undefined);
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
