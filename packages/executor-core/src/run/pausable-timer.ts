import type { Clock } from '../ports/clock';

/** A timer whose clock can be stopped and let go on. All its methods may be called at any time. */
export interface PausableTimer {
  /** Time stands still until `resume`; pausing twice is pausing once. */
  pause(): void;
  resume(): void;
  /** The callback will not be called any more. */
  cancel(): void;
}

/** Calls `callback` once, when `delayMs` have passed that were not paused. */
export function pausableTimer(clock: Clock, delayMs: number, callback: () => void): PausableTimer {
  let leftMs = delayMs;
  let since = clock.now();
  let over = false;
  let stopClock: (() => void) | null = null;
  const start = (): void => {
    since = clock.now();
    stopClock = clock.after(leftMs, () => {
      over = true;
      callback();
    });
  };
  const pause = (): void => {
    if (over || stopClock === null) return;
    stopClock();
    stopClock = null;
    // A clock that was set back does not give more time.
    leftMs = Math.max(0, leftMs - Math.max(0, clock.now() - since));
  };
  start();
  return {
    pause,
    resume() {
      if (!over && stopClock === null) start();
    },
    cancel() {
      pause();
      over = true;
    },
  };
}
