import { promises as fs } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Processes } from '../ports/processes';
import {
  deleteTree,
  discardFolder,
  dropStaged,
  inspectFolder,
  placeFolder,
  stageFolder,
  type LockState,
} from './lockfile-folder';

const ABANDONED_AFTER_MS = 3_600_000;

/**
 * Taking a lock away from a dead owner. The danger is a contender that saw the dead owner long ago
 * and now removes a rival's fresh lock. Hence the right to remove is itself a lock, one per lock
 * *instance*: the folder `<lock>.takeover-<instance>`, put in place in one step like the lock.
 *
 * - Only the process whose claim is in place may remove the instance. When that process is dead, the
 *   next claim is `…-2`, and so on; dead claims stay as long as the instance does. Dead is for ever,
 *   so at most one living process has the right.
 * - The claimant looks again, after its claim, whether the instance is still there. An instance that
 *   has gone never returns, so a late claimant finds a stranger and does nothing.
 * - Claims are removed only after their instance has gone, when a second one does no harm.
 */

/**
 * Removes the lock at `lockPath` if its owner is dead. `true`: the lock is, or was just, free, and
 * is worth another try at once; `false`: a living process has it, or is about to remove it.
 */
export async function breakDeadLock(lockPath: string, processes: Processes): Promise<boolean> {
  const seen = await inspectFolder(lockPath);
  if (seen.kind === 'free') return true;
  if (isOwnerAlive(seen, processes)) return false;
  if (!(await claimRight(lockPath, seen.instance, processes))) return false;
  const now = await inspectFolder(lockPath);
  if (now.kind === 'held' && now.instance === seen.instance) {
    await discardFolder(lockPath, `${lockPath}.trash-${seen.instance}`);
  }
  await sweepLeftovers(lockPath, processes);
  return true;
}

/** `true` when this process now has the one right to remove `instance`. */
async function claimRight(
  lockPath: string,
  instance: string,
  processes: Processes,
): Promise<boolean> {
  for (let round = 1; ; round++) {
    const claimPath = `${lockPath}.takeover-${instance}${round === 1 ? '' : `-${round}`}`;
    const staged = await stageFolder(lockPath, processes.self());
    try {
      if (await placeFolder(staged, claimPath)) return true;
    } finally {
      await dropStaged(staged);
    }
    const claim = await inspectFolder(claimPath);
    // A claim that has just gone means that its instance has gone too: nothing to remove.
    if (claim.kind === 'free' || isOwnerAlive(claim, processes)) return false;
  }
}

/**
 * Deletes what killed processes left beside the lock: folders never put in place, trash, and claims
 * on instances that are gone. Safe at any time.
 */
export async function sweepLeftovers(lockPath: string, processes: Processes): Promise<void> {
  const folder = dirname(lockPath);
  const prefix = `${basename(lockPath)}.`;
  // The order matters: a claim listed *before* the look at the lock, and not on what is seen there,
  // is on an instance that has gone. The other way round it could be on one that came in between.
  const names = (await listOrEmpty(folder)).filter((name) => name.startsWith(prefix));
  if (names.length === 0) return;
  const lock = await inspectFolder(lockPath);
  const current = lock.kind === 'held' ? lock.instance : null;
  for (const name of names) {
    const path = join(folder, name);
    if (await isLeftover(path, name.slice(prefix.length), current, processes)) {
      await deleteTree(path);
    }
  }
}

async function isLeftover(
  path: string,
  suffix: string,
  current: string | null,
  processes: Processes,
): Promise<boolean> {
  const [, kind = '', rest = ''] = /^(new|trash|takeover)-(.+)$/.exec(suffix) ?? [];
  switch (kind) {
    case 'trash':
      return true;
    case 'takeover':
      return rest.split('-')[0] !== current;
    case 'new': {
      const staged = await inspectFolder(path);
      if (staged.kind === 'free') return false;
      if (staged.owner !== null) return !processes.isAlive(staged.owner);
      return isOld(path); // Without a record yet, or for ever: its owner may be about to write it.
    }
    default:
      return false;
  }
}

async function isOld(path: string): Promise<boolean> {
  const stats = await fs.stat(path).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS;
}

/** A record that cannot be read counts as dead: it was complete before it was put in place. */
function isOwnerAlive(state: LockState, processes: Processes): boolean {
  return state.kind === 'held' && state.owner !== null && processes.isAlive(state.owner);
}

async function listOrEmpty(folder: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(folder);
  } catch {
    return [];
  }
}
