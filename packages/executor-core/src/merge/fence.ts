import { createHash } from 'node:crypto';
import type { RunId } from '../model/ids';
import { isRunId } from '../model/ids';
import type { Git, GitObjects } from '../ports/git';
import { GitError } from '../ports/git';
import type { RefGuard } from './land';

/** Who may land in a checkout. */
export interface FenceHolder {
  readonly run: RunId;
  /** Fencing token of the lease on the checkout; greater than that of every holder before. */
  readonly token: number;
  /** Several processes hold it together: who joins them keeps the fence as it is. */
  readonly shared: boolean;
}

export interface FenceRequest {
  readonly git: Git;
  /** Top level of the checkout. */
  readonly root: string;
  readonly holder: FenceHolder;
  /** Whether the holder has its lease still; asked when the fence names a later one. */
  readonly isHeld: () => Promise<boolean>;
  /** Removes the lock on the fence that a killed git left, see `fenceRef`. */
  readonly breakLock: () => Promise<void>;
}

const PREFIX = 'refs/parallel/fence/';
const NAME = /^(shared|alone)-(PEXEC-\d+)-(\d+)$/;
const MAX_TRIES = 20;

/** The fence of a checkout; checkouts of one repository share their refs, not their runs. */
export function fenceRef(root: string): string {
  return PREFIX + createHash('sha256').update(root).digest('hex').slice(0, 16);
}

/**
 * Moves the fence of a checkout to `holder`, by compare-and-swap, so that no landing that verifies an
 * earlier one succeeds any more. Its object is a tree without files whose one name tells the holder
 * (`git ls-tree`). `null`: a later holder was quicker, and this one has lost its lease.
 */
export async function raiseFence(request: FenceRequest): Promise<RefGuard | null> {
  const { git, root, holder, isHeld, breakLock } = request;
  const objects = git.objects(root);
  const ref = fenceRef(root);
  for (let tries = 1; ; tries += 1) {
    const before = await objects.resolve(ref);
    const held = before === null ? null : await readHolder(objects, before);
    // Tokens begin anew when somebody removes the lock table.
    const joins = holder.shared && held?.shared === true;
    if (!joins && held !== null && held.token > holder.token && !(await isHeld())) return null;
    // Who joins moves it to where it is: with a dead git's lock in the way nobody could land.
    const id = joins && before !== null ? before : await writeHolder(objects, holder);
    const line = before === null ? `create ${ref} ${id}` : `update ${ref} ${id} ${before}`;
    const answer = await objects.moveRefs([line]);
    if (answer.ok) return { ref, id };
    if (tries === MAX_TRIES) throw new GitError(['update-ref', ref], answer.result);
    // git holds it for an instant, so a lock that outlives git's patience is one of a killed git.
    if ((await objects.resolve(ref)) === before) await breakLock();
  }
}

/** Who holds the fence of a checkout now; `null` when nobody does. */
export async function fenceHolder(git: Git, root: string): Promise<FenceHolder | null> {
  const objects = git.objects(root);
  const id = await objects.resolve(fenceRef(root));
  return id === null ? null : readHolder(objects, id);
}

/** `true` while nobody has moved the fence. */
export async function isFenceUp(git: Git, root: string, { ref, id }: RefGuard): Promise<boolean> {
  return (await git.objects(root).resolve(ref)) === id;
}

/** Takes the fence away, unless somebody else has moved it. */
export async function dropFence(git: Git, root: string, { ref, id }: RefGuard): Promise<void> {
  await git.objects(root).moveRefs([`delete ${ref} ${id}`]);
}

async function writeHolder(objects: GitObjects, holder: FenceHolder): Promise<string> {
  const { run, token, shared } = holder;
  const empty = await objects.writeTree([]);
  const name = `${shared ? 'shared' : 'alone'}-${run}-${token}`;
  return objects.writeTree([{ mode: '40000', name, id: empty }]);
}

/** `null` for anything that is not of our making. */
async function readHolder(objects: GitObjects, id: string): Promise<FenceHolder | null> {
  const entries = await objects.readTree(id).catch(() => []);
  const [, kind, run = '', token] = NAME.exec(entries[0]?.name ?? '') ?? [];
  return isRunId(run) ? { run, token: Number(token), shared: kind === 'shared' } : null;
}
