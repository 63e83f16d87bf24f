import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git, GitOptions } from '../ports/git';
import type { BegunMove } from './checkout-hold';
import { begunMove, moverMark } from './checkout-hold';
import type { ProcessTrees } from '../ports/processes';
import { readRef } from './land';
import { commonDir } from './linked-worktree';

export interface MendRequest {
  readonly git: Git;
  readonly fs: FileSystem;
  readonly trees: ProcessTrees;
  readonly root: string;
  /** Waits for longer than a git that lives holds the lock of a ref. */
  readonly pause: () => Promise<void>;
}

/** A path that differs between two commits, as `git update-index --index-info` wants it; see git-diff-tree(1). */
interface Change {
  readonly path: string;
  /** `null`: it is not there. */
  readonly from: Entry | null;
  readonly to: Entry | null;
}

interface Entry {
  readonly mode: string;
  readonly oid: string;
}

const NO_MODE = '000000';
const GITLINK = '160000';

/**
 * Puts right what a kill left of a fast-forward of a checkout: `index.lock`, locks of refs, and files of
 * which some are the new ones and one was being written. What is new already is told to the index; half
 * a file goes, and the next fast-forward writes it whole. Everything else in the checkout is the user's and stays.
 * Does nothing where no move was begun. Call it under the worktree mutex.
 */
export async function mendCheckout(request: MendRequest): Promise<void> {
  const { git, fs, root } = request;
  const begun = await begunMove({ git, fs, root });
  if (begun === null) return;
  const { move, hold } = begun;
  await endOrphans(request, move);
  await removeRefLocks(request, move);
  const at: GitOptions = { cwd: move.worktree, env: { GIT_INDEX_FILE: hold.index } };
  const changes = await changesOf(git, at, move);
  await writeEntries(git, at, changes, 'to');
  // The branch moves when all files are there: what differs since then is the user's.
  if ((await readRef(git, root, move.target)) !== move.to) {
    const left = await notThere(request, at, move, changes);
    await writeEntries(git, at, left, 'from');
  }
  await hold.end(true);
}

/** Where only the process that drove the run was killed, its git may still be at it. */
async function endOrphans({ trees, pause }: MendRequest, move: BegunMove): Promise<void> {
  const tree = { leader: null, mark: moverMark(move), folder: null, output: null };
  if (trees.signalTree(tree, 'SIGKILL') > 0) await pause();
}

/** Without what the user has staged otherwise: git does not move past that. */
async function changesOf(
  git: Git,
  at: GitOptions,
  { from, to }: BegunMove,
): Promise<readonly Change[]> {
  const cached = ['diff-index', '--cached', '--name-only', '-z', '--no-renames', from];
  const staged = new Set((await git.text(cached, at)).split('\0'));
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', from, to];
  const fields = (await git.text(args, at)).split('\0');
  const changes: Change[] = [];
  const entry = (mode: string, oid: string): Entry | null =>
    mode === NO_MODE ? null : { mode, oid };
  for (let next = 0; next + 1 < fields.length; next += 2) {
    const about = (fields[next] ?? '').replace(/^:/, '').split(' ');
    const [fromMode = '', toMode = '', fromId = '', toId = ''] = about;
    const path = fields[next + 1] ?? '';
    // What a submodule is on is not a file of this checkout.
    if (fromMode === GITLINK || toMode === GITLINK || staged.has(path)) continue;
    changes.push({ path, from: entry(fromMode, fromId), to: entry(toMode, toId) });
  }
  return changes;
}

async function writeEntries(
  git: Git,
  at: GitOptions,
  changes: readonly Change[],
  side: 'from' | 'to',
): Promise<void> {
  if (changes.length === 0) return;
  const lines = changes.map(({ path, from, to }) => {
    const entry = side === 'from' ? from : to;
    const none = '0'.repeat((from ?? to)?.oid.length ?? 0);
    return `${entry?.mode ?? '0'} ${entry?.oid ?? none}\t${path}\0`;
  });
  await git.text(['update-index', '-z', '--index-info'], { ...at, stdin: lines.join('') });
}

/** The changes that the files do not show yet; half a file of ours is removed. */
async function notThere(
  { git, fs }: MendRequest,
  at: GitOptions,
  { worktree }: BegunMove,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  await git.run(['update-index', '-q', '--refresh'], at);
  const listed = await git.text(['diff-files', '--name-only', '-z'], at);
  const different = new Set(listed.split('\0'));
  const left: Change[] = [];
  for (const change of changes) {
    const file = join(worktree, change.path);
    if (change.to === null) {
      if (await fs.exists(file)) left.push(change);
    } else if (different.has(change.path)) {
      left.push(change);
      if (await isHalf(git, fs, at, file, change.to, change.path)) await fs.removeFile(file);
    }
  }
  return left;
}

/** `true` for a beginning of what is to be there: git had removed the file before, and was writing it. */
async function isHalf(
  git: Git,
  fs: FileSystem,
  at: GitOptions,
  file: string,
  { oid }: Entry,
  path: string,
): Promise<boolean> {
  const there = await fs.readText(file).catch(() => null);
  if (there === null) return false;
  const whole = await git.run(['cat-file', '--filters', `--path=${path}`, oid], at);
  // The last letter may have been cut in two.
  return whole.exitCode === 0 && whole.stdout.startsWith(there.replace(/\uFFFD+$/, ''));
}

/** Nobody holds the lock of a ref for long; one that is the same after a while is that of the git that was killed. */
async function removeRefLocks(
  { git, fs, root, pause }: MendRequest,
  move: BegunMove,
): Promise<void> {
  const { gitDir, target } = move;
  const common = await commonDir(git, root);
  const locks = [
    join(gitDir, 'HEAD.lock'),
    join(gitDir, 'ORIG_HEAD.lock'),
    join(common, `${target}.lock`),
  ];
  const before = await Promise.all(locks.map((lock) => fs.stamp(lock)));
  if (before.every((stamp) => stamp === null)) return;
  await pause();
  for (const [at, lock] of locks.entries()) {
    const seen = before[at] ?? null;
    if (seen !== null && (await fs.stamp(lock)) === seen) await fs.removeFile(lock);
  }
}
