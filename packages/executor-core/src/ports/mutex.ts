/**
 * Mutual exclusion between processes, by a lockfile a person can read. A lock whose owner is dead
 * (pid, start time, boot id) passes on at once; a live owner is never pushed aside.
 */
export interface Mutex {
  /**
   * Runs `body` while holding the lock at `path` (absolute; the lock is `<path>.lock`).
   * Rejects with `MutexTimeout` when it is not had within `timeoutMs` (default 30 s), or when `signal`
   * is aborted before.
   */
  with<T>(
    path: string,
    body: () => Promise<T>,
    timeoutMs?: number,
    signal?: AbortSignal,
  ): Promise<T>;
}

/** The mutex stayed taken for longer than the caller would wait. */
export class MutexTimeout extends Error {
  override readonly name = 'MutexTimeout';
}
