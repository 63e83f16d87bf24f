import { join } from 'node:path';

import limitConcurrency from 'p-limit';

import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import { trashFolder } from './worktree-site';

/** Deletes the trees that were moved to a trash folder. */
export interface TrashBin {
  /** Deletes what is there now, after everything asked for before. Never rejects. */
  empty(base: string): Promise<void>;
  /** Like `empty`, but resolves after 10 s at the latest when there is a clock. */
  close(base: string): Promise<void>;
}

const CLOSE_BUDGET_MS = 10_000;

/** One tree at a time: deleting costs more than creating and starves everybody else on the disk. */
export function createTrashBin(fs: FileSystem, clock: Clock | undefined): TrashBin {
  const oneAtATime = limitConcurrency(1);
  const empty = (base: string) => oneAtATime(() => deleteAll(fs, trashFolder(base)));
  return {
    empty,
    close: (base) => (clock === undefined ? empty(base) : atMost(clock, empty(base))),
  };
}

async function deleteAll(fs: FileSystem, folder: string): Promise<void> {
  const names = await fs.list(folder).catch(() => []);
  for (const name of names) {
    // Another process may delete it too, or an agent left a folder we may not write to: the next run tries again.
    await fs.removeTree(join(folder, name)).catch(() => undefined);
  }
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
