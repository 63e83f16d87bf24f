import type { RunId, TaskId } from '../model/ids';
import type { Git } from '../ports/git';
import { GitError } from '../ports/git';

const MAX_KEPT = 1000;

/** A ref that must have this value for a move to be allowed: the fence of who may land. */
export interface RefGuard {
  readonly ref: string;
  /** Full id of the object it names. */
  readonly id: string;
}

/** Another process has the checkout now: from here nothing may land, or be journalled, any more. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver';
  constructor() {
    super('Another process has taken this run over.');
  }
}

export interface RefMove {
  readonly git: Git;
  readonly root: string;
  /** Full name of the ref. */
  readonly ref: string;
  /** Commit the ref must have now; `null`: it must not exist. */
  readonly from: string | null;
  readonly to: string;
  /** Verified in the same transaction: the answer of git itself, not of a look before it. */
  readonly guard?: RefGuard | undefined;
}

/**
 * Moves a ref by compare-and-swap, in one ref transaction. `stale`: the ref had another value, and
 * nothing has changed. Rejects with `TakenOver` when the guard had another one, and with `GitError`
 * for anything else, e.g. a lock that stays.
 */
export async function advanceIntegration(move: RefMove): Promise<'moved' | 'stale'> {
  const { git, root, ref, from, to, guard } = move;
  const update = from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
  const verify = guard === undefined ? [] : [`verify ${guard.ref} ${guard.id}`];
  const objects = git.objects(root);
  const answer = await objects.moveRefs([...verify, update]);
  if (answer.ok) return 'moved';
  if (guard !== undefined && (await objects.resolve(guard.ref)) !== guard.id) throw new TakenOver();
  if ((await readRef(git, root, ref)) !== from) return 'stale';
  throw new GitError(['update-ref', ref], answer.result);
}

/** The commit a full ref name points at, or `null` when there is no such ref. */
export function readRef(git: Git, root: string, ref: string): Promise<string | null> {
  return git.objects(root).resolve(`${ref}^{commit}`);
}

export interface KeepRequest {
  readonly run: RunId;
  readonly task: TaskId;
  readonly fence: number;
  readonly commit: string;
}

/**
 * Keeps `commit` reachable under `refs/parallel/<run>/<task>/<fence>` and resolves with the ref. A
 * ref that exists is never moved: another commit of the same fence gets `<fence>-2`, and so on.
 */
export async function keepCommit(git: Git, root: string, keep: KeepRequest): Promise<string> {
  const { commit } = keep;
  const kept = await keepUnless(
    git,
    root,
    keep,
    (held) => Promise.resolve(held === commit),
    () => Promise.resolve(commit),
  );
  return kept.ref;
}

/** The ref that keeps `commit` for this task and fence; `null` when none does. */
export async function findKept(
  git: Git,
  root: string,
  place: Omit<KeepRequest, 'commit'>,
  commit: string,
): Promise<string | null> {
  for (let copy = 1; copy <= MAX_KEPT; copy += 1) {
    const ref = nameOf(place, copy);
    const held = await readRef(git, root, ref);
    if (held === commit) return ref;
    if (held === null) return null;
  }
  return null;
}

/** Name of the n-th version that is kept. */
function nameOf({ run, task, fence }: Omit<KeepRequest, 'commit'>, copy: number): string {
  const name = `refs/parallel/${run}/${task}/${fence}`;
  return copy === 1 ? name : `${name}-${copy}`;
}

export interface Kept {
  readonly ref: string;
  readonly commit: string;
}

/**
 * Looks through what is kept for this task and fence: the first commit that `serves` stays the one;
 * when none does, what `make` gives is kept under the next free name.
 */
export async function keepUnless(
  git: Git,
  root: string,
  place: Omit<KeepRequest, 'commit'>,
  serves: (held: string) => Promise<boolean>,
  make: () => Promise<string>,
): Promise<Kept> {
  const objects = git.objects(root);
  let made: string | null = null;
  for (let copy = 1; copy <= MAX_KEPT; copy += 1) {
    const ref = nameOf(place, copy);
    const held = await readRef(git, root, ref);
    if (held !== null) {
      if (await serves(held)) return { ref, commit: held };
      continue;
    }
    made ??= await make();
    const answer = await objects.moveRefs([`create ${ref} ${made}`]);
    if (answer.ok) return { ref, commit: made };
    const now = await readRef(git, root, ref);
    if (now === null) throw new GitError(['update-ref', ref], answer.result);
    // Somebody made it in this moment.
    if (await serves(now)) return { ref, commit: now };
  }
  throw new Error(`${nameOf(place, 1)} has ${MAX_KEPT} versions already.`);
}
