/** Leaves the queue, or the head of it; the next caller moves up. Calling it twice does no harm. */
export type Leave = () => void;

/** Lets the callers of one process through one at a time, per key, first come first served. */
export interface CallerQueue {
  /** Resolves when it is the caller's turn; with `null` when that takes longer than `timeoutMs`. */
  enter(key: string, timeoutMs: number): Promise<Leave | null>;
}

/**
 * A queue in front of a lockfile: 25 tasks of one process would otherwise all poll the same file,
 * and the file would go to whoever happens to look.
 */
export function callerQueue(): CallerQueue {
  const lines = new Map<string, (() => void)[]>();

  const leave = (key: string, line: (() => void)[], turn: () => void): void => {
    const place = line.indexOf(turn);
    if (place < 0) return;
    line.splice(place, 1);
    if (line.length === 0) lines.delete(key);
    else if (place === 0) line[0]?.();
  };

  return {
    enter: (key, timeoutMs) =>
      new Promise((resolve) => {
        const line = lines.get(key) ?? [];
        lines.set(key, line);
        const timer = setTimeout(() => {
          leave(key, line, turn);
          resolve(null);
        }, timeoutMs);
        const turn = (): void => {
          clearTimeout(timer);
          resolve(() => {
            leave(key, line, turn);
          });
        };
        line.push(turn);
        if (line[0] === turn) turn();
      }),
  };
}
