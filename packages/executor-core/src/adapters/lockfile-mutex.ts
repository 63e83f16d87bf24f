import { stat, utimes } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { callbackify } from 'node:util';
import { lock, type LockOptions } from 'proper-lockfile';
import { MutexTimeout, type Mutex } from '../ports/mutex';
import type { Processes } from '../ports/processes';
import {
  discardFolder,
  dropStaged,
  inspectFolder,
  placeFolder,
  stageFolder,
  type StagedFolder,
} from './lockfile-folder';
import { callerQueue } from './lockfile-queue';
import { breakDeadLock, sweepLeftovers } from './lockfile-takeover';
import { hasCode } from './error-code';

const DEFAULT_TIMEOUT_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/**
 * Waits between two tries are drawn at random below a tenth of the time waited so far, at least 2 ms
 * and at most this: who waits for a verification that takes minutes must not eat the machine it needs.
 */
const LONGEST_WAIT_MS = 300;
/** How often a waiting process asks whether the owner still lives, at most. */
const LIVENESS_EVERY_MS = 25;

type Release = () => Promise<void>;

/**
 * Mutual exclusion by proper-lockfile, which keeps the lock's modification time fresh and knows what
 * this process holds. Its own takeover of stale locks is switched off, because it lets two owners in
 * when several contenders meet one stale lock; see lockfile-takeover for ours. The lock at `path` is
 * the folder `<path>.lock` with an `owner.json` in it.
 *
 * A process that ends while it holds the lock leaves it: file operations may still be under way, and
 * the next contender sees that the owner is dead. `with` rejects with a plain `Error` when a person
 * removed the lock while it was held.
 */
export function lockfileMutex(processes: Processes): Mutex {
  const queue = callerQueue();
  const swept = new Set<string>();
  const folders = new LockFolders();

  const acquire = async (path: string, until: Patience): Promise<Release | null> => {
    const lockPath = `${path}.lock`;
    if (!swept.has(lockPath)) {
      swept.add(lockPath);
      await sweepLeftovers(lockPath, processes);
    }
    const staged = await stageFolder(lockPath, processes.self());
    try {
      folders.offer(lockPath, staged);
      return await acquireStaged(path, until, folders, processes);
    } finally {
      await dropStaged(staged);
    }
  };

  return {
    async with(anyPath, body, timeoutMs = DEFAULT_TIMEOUT_MS, signal) {
      const path = resolve(anyPath);
      const deadline = performance.now() + timeoutMs;
      const leave = await queue.enter(path, timeoutMs);
      if (leave === null) throw await timedOut(path, timeoutMs);
      try {
        const release = await acquire(path, { deadline, signal });
        if (release === null) throw await timedOut(path, timeoutMs);
        return await runAndRelease(body, release);
      } finally {
        leave();
      }
    },
  };
}

/** How long a caller waits: until this instant of `performance.now()`, or until it lost interest. */
interface Patience {
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** `null` when the caller's patience is at an end; there is one try at least. */
async function acquireStaged(
  path: string,
  { deadline, signal }: Patience,
  folders: LockFolders,
  processes: Processes,
): Promise<Release | null> {
  const since = performance.now();
  let checkOwnerAt = 0;
  for (;;) {
    // A look is far cheaper than a try, and many may be waiting.
    const isTaken = (await inspectFolder(`${path}.lock`)).kind === 'held';
    const release = isTaken ? null : await tryLock(path, folders);
    if (release !== null) return release;
    const now = performance.now();
    if (now >= checkOwnerAt) {
      if (await breakDeadLock(`${path}.lock`, processes)) continue;
      checkOwnerAt = now + LIVENESS_EVERY_MS;
    }
    const left = deadline - performance.now();
    if (left <= 0 || signal?.aborted === true) return null;
    const longest = Math.min(LONGEST_WAIT_MS, Math.max(2, (now - since) / 10));
    await delay(Math.min(left, 1 + Math.random() * longest), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

async function tryLock(path: string, folders: LockFolders): Promise<Release | null> {
  const options: LockOptions = {
    stale: Number.MAX_SAFE_INTEGER,
    update: HEARTBEAT_MS,
    realpath: false,
    fs: folders.fs,
    // Told when the folder is missing or was touched. Whether it is still ours, `remove` decides.
    onCompromised: () => undefined,
  };
  try {
    const unlock = await lock(path, options);
    return async () => {
      try {
        await unlock();
      } catch (error) {
        if (!hasCode(error, 'ERELEASED')) throw error;
        await folders.remove(`${path}.lock`);
      }
    };
  } catch (error) {
    if (hasCode(error, 'ELOCKED', 'EEXIST')) return null;
    throw error;
  }
}

async function runAndRelease<T>(body: () => Promise<T>, release: Release): Promise<T> {
  let result: T;
  try {
    result = await body();
  } catch (error) {
    // What went wrong inside says more than what went wrong on the way out.
    await release().catch(() => undefined);
    throw error;
  }
  await release();
  return result;
}

async function timedOut(path: string, timeoutMs: number): Promise<MutexTimeout> {
  const state = await inspectFolder(`${path}.lock`);
  const owner = state.kind === 'held' ? state.owner : null;
  const holder = owner === null ? 'others' : `process ${owner.pid} on ${owner.host}`;
  return new MutexTimeout(`No lock on ${path} after ${timeoutMs} ms: it is held by ${holder}.`);
}

/** The file operations proper-lockfile needs, on lock folders that name their owner. */
class LockFolders {
  private readonly staged = new Map<string, StagedFolder>();
  private readonly held = new Map<string, string>();

  /** One object for all locks: proper-lockfile keeps what it learnt about the clock of the disk on it. */
  readonly fs = {
    stat,
    utimes,
    mkdir: callbackify((path: string) => this.create(path)),
    rmdir: callbackify((path: string) => this.remove(path)),
    rmdirSync: (): void => undefined,
  };

  /** The folder the next `create` puts in place. The queue sees to it that there is one at a time. */
  offer(lockPath: string, staged: StagedFolder): void {
    this.staged.set(lockPath, staged);
  }

  async remove(lockPath: string): Promise<void> {
    const nonce = this.held.get(lockPath);
    this.held.delete(lockPath);
    const state = await inspectFolder(lockPath);
    if (nonce === undefined || state.kind === 'free' || state.instance !== nonce) {
      throw new Error(`The lock ${lockPath} was removed while this process held it.`);
    }
    await discardFolder(lockPath, `${lockPath}.trash-${nonce}`);
  }

  private async create(lockPath: string): Promise<void> {
    const staged = this.staged.get(lockPath);
    if (staged === undefined) throw new Error(`Internal error: nothing staged for ${lockPath}.`);
    if (!(await placeFolder(staged, lockPath))) {
      throw Object.assign(new Error('The lock is held.'), { code: 'EEXIST' });
    }
    this.staged.delete(lockPath);
    this.held.set(lockPath, staged.nonce);
  }
}
