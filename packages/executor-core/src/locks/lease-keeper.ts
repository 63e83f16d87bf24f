import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';

/** Heartbeats: keeps the modification time of files fresh. */
export interface LeaseKeeper {
  keep(path: string): void;
  drop(path: string): void;
  /** Ends all heartbeats; no timer is left. */
  stop(): void;
}

/**
 * Touches every kept file each `everyMs`. A file that has gone (the lease was fenced) is dropped. No
 * timer runs while nothing is kept.
 */
export function createLeaseKeeper(fs: FileSystem, clock: Clock, everyMs: number): LeaseKeeper {
  const kept = new Set<string>();
  let cancel: (() => void) | null = null;

  const beat = async (path: string): Promise<void> => {
    try {
      if (!(await fs.touch(path))) kept.delete(path);
    } catch {
      // A beat may fail (a busy disk); several in a row are what the time to live is for.
    }
  };
  const arm = (): void => {
    cancel = clock.after(everyMs, () => {
      cancel = null;
      for (const path of kept) void beat(path);
      if (kept.size > 0) arm();
    });
  };

  return {
    keep(path) {
      kept.add(path);
      if (cancel === null) arm();
    },
    drop(path) {
      kept.delete(path);
      if (kept.size > 0) return;
      cancel?.();
      cancel = null;
    },
    stop() {
      kept.clear();
      cancel?.();
      cancel = null;
    },
  };
}
