import type { Clock } from '../ports/clock';
import type { LeaseRecord } from './lease-record';

/** Heartbeats: keeps the modification time of lease files fresh. */
export interface LeaseKeeper {
  keep(lease: LeaseRecord): void;
  /** To be called soon after `keep`: most leases of short work have gone by then and need no timer. */
  wake(): void;
  drop(token: number): void;
  /** Ends all heartbeats; no timer is left. */
  stop(): void;
}

/**
 * Beats for every kept lease each `everyMs`; `beat` resolves with `false` when the lease has gone (it
 * was fenced), and is not asked again. No timer runs while nothing is kept.
 */
export function createLeaseKeeper(
  beat: (lease: LeaseRecord) => Promise<boolean>,
  clock: Clock,
  everyMs: number,
): LeaseKeeper {
  const kept = new Map<number, LeaseRecord>();
  let cancel: (() => void) | null = null;

  const beatOnce = async (lease: LeaseRecord): Promise<void> => {
    try {
      if (!(await beat(lease))) kept.delete(lease.token);
    } catch {
      // A beat may fail (a busy disk); several in a row are what the time to live is for.
    }
  };
  const arm = (): void => {
    cancel = clock.after(everyMs, () => {
      cancel = null;
      for (const lease of kept.values()) void beatOnce(lease);
      if (kept.size > 0) arm();
    });
  };

  return {
    keep(lease) {
      kept.set(lease.token, lease);
    },
    wake() {
      if (cancel === null && kept.size > 0) arm();
    },
    drop(token) {
      kept.delete(token);
      if (kept.size > 0 || cancel === null) return;
      cancel();
      cancel = null;
    },
    stop() {
      kept.clear();
      cancel?.();
      cancel = null;
    },
  };
}
