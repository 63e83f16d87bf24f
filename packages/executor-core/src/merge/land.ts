import type { RunId, TaskId } from '../model/ids';
import type { Git, GitResult } from '../ports/git';
import { GitError } from '../ports/git';

/** How long git waits for somebody else's lock on a ref; its default is a tenth of a second. */
const LOCK_WAIT = ['-c', 'core.filesRefLockTimeout=3000', '-c', 'core.packedRefsTimeout=3000'];
const MAX_KEPT = 1000;

/** A ref that must have this value for a move to be allowed, e.g. a lease with its fencing token. */
export interface RefGuard {
  readonly ref: string;
  readonly commit: string;
}

export interface RefMove {
  readonly git: Git;
  readonly root: string;
  /** Full name of the ref. */
  readonly ref: string;
  /** Commit the ref must have now; `null`: it must not exist. */
  readonly from: string | null;
  readonly to: string;
  /** Verified in the same transaction. */
  readonly guards?: readonly RefGuard[];
  /** For the reflog. */
  readonly reason?: string;
}

/**
 * Moves a ref by compare-and-swap, in one ref transaction. `stale`: the ref, or a guard, had another
 * value, and nothing has changed. Throws `GitError` for anything else, e.g. a lock that stays.
 */
export async function advanceIntegration(move: RefMove): Promise<'moved' | 'stale'> {
  const { git, root, ref, from, to, guards = [] } = move;
  const update = from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
  const verify = guards.map((guard) => `verify ${guard.ref} ${guard.commit}`);
  const { args, result } = await transact(git, root, [...verify, update], move.reason);
  if (result.exitCode === 0) return 'moved';
  const expected = [{ ref, commit: from }, ...guards];
  for (const { ref: name, commit } of expected) {
    if ((await readRef(git, root, name)) !== commit) return 'stale';
  }
  throw new GitError(args, result);
}

/** The commit a full ref name points at, or `null` when there is no such ref. */
export async function readRef(git: Git, root: string, ref: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  const { exitCode, stdout } = await git.run(args, { cwd: root });
  return exitCode === 0 ? stdout.trim() : null;
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
  const name = `${keptFolder(keep.run, keep.task)}/${keep.fence}`;
  for (let copy = 1; copy <= MAX_KEPT; copy += 1) {
    const ref = copy === 1 ? name : `${name}-${copy}`;
    const { args, result } = await transact(git, root, [`create ${ref} ${keep.commit}`]);
    if (result.exitCode === 0) return ref;
    const held = await readRef(git, root, ref);
    if (held === keep.commit) return ref;
    if (held === null) throw new GitError(args, result);
  }
  throw new Error(`${name} has ${MAX_KEPT} versions already.`);
}

/** Commits kept earlier for this task and fence, each with its tree and parents. */
export async function keptCommits(
  git: Git,
  root: string,
  { run, task, fence }: Omit<KeepRequest, 'commit'>,
): Promise<
  readonly {
    readonly ref: string;
    readonly commit: string;
    readonly tree: string;
    readonly parents: string;
  }[]
> {
  const folder = keptFolder(run, task);
  const format = '--format=%(refname) %(objectname) %(tree) %(parent)';
  const listed = await git.text(['for-each-ref', format, `${folder}/`], { cwd: root });
  const rows = listed.split('\n').map((line) => line.split(' '));
  return rows.flatMap(([ref = '', commit = '', tree = '', ...parents]) => {
    const own = ref === `${folder}/${fence}` || ref.startsWith(`${folder}/${fence}-`);
    return own ? [{ ref, commit, tree, parents: parents.join(' ') }] : [];
  });
}

function keptFolder(run: RunId, task: TaskId): string {
  return `refs/parallel/${run}/${task}`;
}

async function transact(
  git: Git,
  root: string,
  lines: readonly string[],
  reason = 'parallel: keep',
): Promise<{ readonly args: readonly string[]; readonly result: GitResult }> {
  const args = ['update-ref', '-m', reason, '--stdin'];
  const stdin = ['start', ...lines, 'prepare', 'commit', ''].join('\n');
  return { args, result: await git.run([...LOCK_WAIT, ...args], { cwd: root, stdin }) };
}
