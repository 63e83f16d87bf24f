import { isRunId, parseTaskId, taskIdProblem, type RunId, type TaskId } from '../model/ids';
import type { Git } from '../ports/git';
import { GitError } from '../ports/git';
import { changedPaths } from './trees';

/** A ref of ours and what its name says. */
export interface KeptRef {
  /** Full name. */
  readonly ref: string;
  readonly commit: string;
  readonly run: RunId;
  readonly task: TaskId | null;
  readonly role: 'candidate' | 'salvage' | 'integration';
}

/** A ref as it was seen: it is removed only while it still points there. */
export type SeenRef = Pick<KeptRef, 'ref' | 'commit'>;

const PREFIX = 'refs/parallel/';
const FENCE = /^\d+(?:-\d+)?$/;
/** Refs that one transaction deletes: packed refs are written anew for each. */
const AT_ONCE = 500;

/** The refs below `refs/parallel/` whose names are of our making, by name. */
export async function readKeptRefs(git: Git, root: string): Promise<readonly KeptRef[]> {
  return (await readRefs(git, root, PREFIX)).flatMap(({ ref, commit }) => {
    const kept = parseKept(ref);
    return kept === null ? [] : [{ ...kept, ref, commit }];
  });
}

/** Local branches: full name to commit. */
export async function readBranches(git: Git, root: string): Promise<readonly SeenRef[]> {
  return readRefs(git, root, 'refs/heads/');
}

async function readRefs(git: Git, root: string, below: string): Promise<readonly SeenRef[]> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', below];
  const listed = await git.text(args, { cwd: root });
  return listed.split('\n').flatMap((line) => {
    const [commit, ref] = line.split(' ');
    return commit === undefined || ref === undefined ? [] : [{ commit, ref }];
  });
}

function parseKept(ref: string): Pick<KeptRef, 'run' | 'task' | 'role'> | null {
  const [run = '', task = '', ...rest] = ref.slice(PREFIX.length).split('/');
  if (!isRunId(run)) return null;
  if (task === '_integration' && rest.length === 0) return { run, task: null, role: 'integration' };
  if (rest.length === 0) return null;
  const role = rest.length === 1 && FENCE.test(rest[0] ?? '') ? 'candidate' : 'salvage';
  return { run, task: taskIdProblem(task) === null ? parseTaskId(task) : null, role };
}

/**
 * Those of `commits` that are in the history of one of `tips`. Empty when git cannot tell: then nothing
 * is proven.
 */
export async function reachableFrom(
  git: Git,
  root: string,
  commits: readonly string[],
  tips: readonly string[],
): Promise<ReadonlySet<string>> {
  if (commits.length === 0 || tips.length === 0) return new Set();
  const stdin = [...commits, ...tips.map((tip) => `^${tip}`), ''].join('\n');
  const answer = await git.run(['rev-list', '--stdin'], { cwd: root, stdin });
  if (answer.exitCode !== 0) return new Set();
  const outside = new Set(answer.stdout.split('\n'));
  return new Set(commits.filter((commit) => !outside.has(commit)));
}

/**
 * `true` when the branch at `tip` has every file that `commit` changed, since their histories parted, exactly
 * as `commit` left it: whatever way it came there, nothing of the work is missing. Commits made from there on
 * are compared by their last state. `false` also when git cannot tell.
 */
export async function isContained(
  git: Git,
  root: string,
  commit: string,
  tip: string,
): Promise<boolean> {
  const parted = await git.run(['merge-base', tip, commit], { cwd: root });
  if (parted.exitCode !== 0) return false;
  const objects = git.objects(root);
  const [before, after, there] = await Promise.all(
    [parted.stdout.trim(), commit, tip].map(async (id) => (await objects.readCommit(id)).tree),
  );
  if (before === undefined || after === undefined || there === undefined) return false;
  const changed = new Set((await changedPaths(objects, before, after)).map(({ path }) => path));
  const differs = await changedPaths(objects, after, there);
  return !differs.some(({ path }) => changed.has(path));
}

/**
 * Deletes refs, each only if it still points at the commit it was seen with. Resolves with those that
 * stay, because they have moved meanwhile.
 */
export async function deleteRefs(
  git: Git,
  root: string,
  seen: readonly SeenRef[],
): Promise<readonly SeenRef[]> {
  const objects = git.objects(root);
  const remove = (refs: readonly SeenRef[]) =>
    objects.moveRefs(refs.map(({ ref, commit }) => `delete ${ref} ${commit}`));
  const left: SeenRef[] = [];
  for (let at = 0; at < seen.length; at += AT_ONCE) {
    const some = seen.slice(at, at + AT_ONCE);
    if ((await remove(some)).ok) continue;
    // All or nothing: one by one tells which it is.
    for (const one of some) {
      const answer = await remove([one]);
      if (answer.ok) continue;
      const now = await objects.resolve(one.ref);
      if (now === one.commit) throw new GitError(['update-ref', '-d', one.ref], answer.result);
      if (now !== null) left.push(one);
    }
  }
  return left;
}
