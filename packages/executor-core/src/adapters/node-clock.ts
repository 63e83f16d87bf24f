import type { Clock } from '../ports/clock';

/** The longest delay `setTimeout` honours; it fires at once for a longer one. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Wall-clock time and real timers. A pending timer keeps the process alive, because a run that only
 * waits for a back-off is still a run. Delays of any length are honoured; negative ones count as 0.
 */
export function nodeClock(): Clock {
  return { now: () => Date.now(), after };
}

function after(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    if (remainingMs <= LONGEST_TIMER_MS) {
      timer = setTimeout(callback, Math.max(0, remainingMs));
      return;
    }
    timer = setTimeout(() => {
      arm(remainingMs - LONGEST_TIMER_MS);
    }, LONGEST_TIMER_MS);
  };
  arm(delayMs);
  return () => {
    clearTimeout(timer);
  };
}
