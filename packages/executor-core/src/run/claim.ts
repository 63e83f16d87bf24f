import { join } from 'node:path';
import type { LeaseRequest } from '../locks/lease-store';
import { dropFence, fenceHolder, fenceRef, isFenceUp, raiseFence } from '../merge/fence';
import type { RefGuard } from '../merge/land';
import { TakenOver } from '../merge/land';
import type { FrontDoor } from '../model/event';
import type { RunId } from '../model/ids';
import { parseTaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import type { Engine } from './engine';
import { removeStaleRefLocks } from './stale-ref-locks';

/** How long 25 processes may take to get through the lease table one after the other. */
const NX_CLAIM_PATIENCE_MS = 60_000;
/** Long enough for a short look into a busy lease table, too short to be noticed. */
const CLAIM_PATIENCE_MS = 500;

/** Resource that keeps two runs out of one checkout; Nx processes of one invocation share it. */
const WORKSPACE = 'parallel:workspace';

const MERGE_LOCK = 'merge-';

/** The right of this process to run, and land, in a checkout. */
export interface Claim {
  /** To be verified with every landing: another process that gets the right moves it first. */
  readonly fence: RefGuard;
  /** Lock shared by every process with this right that lands; one that has lost it holds another. */
  readonly mergeLock: string;
  /** Rejects with `TakenOver` once the right has gone. */
  readonly check: () => Promise<void>;
  /** The run that has the right now; `null` when none has. */
  readonly holder: () => Promise<RunId | null>;
  /** Gives the lease back, unless somebody else has it. */
  readonly release: () => Promise<void>;
  /** Takes the fence away, unless somebody else has moved it: from here nothing lands any more. */
  readonly removeFence: () => Promise<void>;
}

/**
 * Claims the checkout for a run; resolves to the lease's token, for `raiseClaim`. Rejects with
 * `UserError('busy')` at once when another run has it.
 */
export async function claimWorkspace(
  engine: Engine,
  run: RunId,
  frontDoor: FrontDoor,
): Promise<number> {
  const request: LeaseRequest = {
    run,
    task: parseTaskId(`run-${engine.tools.processes.self().pid}`),
    access: { reads: [], writes: [] },
    resources: [{ id: WORKSPACE, exclusive: frontDoor !== 'nx' }],
    policy: 'wait',
    priority: 100,
    slots: [],
  };
  const ask = (timeoutMs: number) => engine.leases.acquire(request, { timeoutMs });
  // Many Nx processes come at once; a second run of its own is refused without waiting.
  let answer = await ask(frontDoor === 'nx' ? NX_CLAIM_PATIENCE_MS : CLAIM_PATIENCE_MS);
  // Nobody holds it: the table itself was late, as it is on a machine that has much to do.
  if (!answer.granted && answer.holders.length === 0) answer = await ask(NX_CLAIM_PATIENCE_MS);
  if (answer.granted) return answer.lease.token;
  throw new UserError(
    'busy',
    `Another run holds this workspace: ${answer.holders.join(', ')}.`,
    'Look at it with parallel-cli status, or end it with parallel-cli kill --all.',
  );
}

/**
 * Makes a lease on the checkout exact: moves the fence, before anything is read or written that a
 * former holder, which may only be standing still, could still change. Rejects with `UserError('busy')`
 * when this process itself stood still and was overtaken.
 */
export async function raiseClaim(
  { tools, repository, state, leases }: Engine,
  token: number,
  run: RunId,
  frontDoor: FrontDoor,
): Promise<Claim> {
  const { git, fs } = tools;
  const { root, commonDir } = repository;
  const shared = frontDoor === 'nx';
  // Who shares it has neighbours, whose gits lock refs all the time.
  if (!shared) await removeStaleRefLocks(tools, repository);
  const fence = await raiseFence({
    git,
    root,
    holder: { run, token, shared },
    isHeld: () => leases.isCurrent(token),
    breakLock: async () => {
      await fs.removeFile(join(commonDir, `${fenceRef(root)}.lock`));
    },
  });
  if (fence === null) throw takenOver(run);
  const mergeLock = `${MERGE_LOCK}${fence.id.slice(0, 16)}`;
  await removeOldLocks(fs, state.locksDir, mergeLock);
  return {
    fence,
    mergeLock: join(state.locksDir, mergeLock),
    check: async () => {
      // The fence is what counts; the lease goes first, and costs less to look at.
      if (await leases.isCurrent(token)) return;
      if (!(await isFenceUp(git, root, fence))) throw new TakenOver();
    },
    holder: async () => (await fenceHolder(git, root))?.run ?? null,
    // The fence stays as it is: to delete a ref, git locks the packed refs of the whole repository.
    release: () => leases.release(token),
    removeFence: () => dropFence(git, root, fence),
  };
}

/** Locks of those who may land no more: whoever holds one still is refused by git. */
async function removeOldLocks(fs: FileSystem, folder: string, ours: string): Promise<void> {
  const old = (await fs.list(folder)).filter(
    (name) => name.startsWith(MERGE_LOCK) && !name.startsWith(ours),
  );
  if (old.length > 0) await fs.removeTrees(old.map((name) => join(folder, name)));
}

/** The journal for the holder of a claim alone: `append` rejects with `TakenOver` once it has gone. */
export function claimedJournal(journal: Journal, claim: Pick<Claim, 'check'>): Journal {
  const append: Journal['append'] = async (events) => {
    await claim.check();
    await journal.append(events);
  };
  return { ...journal, append };
}

/** What a person is told of a run that goes on elsewhere. */
export function takenOver(run: RunId): UserError {
  return new UserError(
    'busy',
    `Another process took this checkout over while that of ${run} stood still: from here nothing lands and nothing is recorded any more.`,
    'What had landed stays. Look at it with parallel-cli status.',
  );
}
