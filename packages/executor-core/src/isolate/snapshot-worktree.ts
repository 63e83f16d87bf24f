import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { GitError, type GitOptions } from '../ports/git';
import { type AdminEntry, findAdminEntry } from './admin-entry';
import { markLeftOut, SEE_EVERYTHING } from './left-out';
import { untouchedCommit } from './untouched-tree';
import { stateFolder, type WorktreeSite } from './worktree-site';

/** The files of a worktree as a git tree. */
export interface WorktreeTree {
  /** Commit HEAD is on; `null` when that cannot be told. */
  readonly head: string | null;
  readonly tree: string;
  /** `true` when `tree` differs from HEAD's. */
  readonly changed: boolean;
  /**
   * Why `tree` does not hold everything: an unreadable file, another repository inside, a file that
   * changed meanwhile. `null` when it does.
   */
  readonly missing: string | null;
}

/** The files of a worktree as a tree, and the index that describes them as they are on disk. */
export interface IndexedTree extends WorktreeTree {
  /** Absolute path; it is whoever's asked for it. */
  readonly index: string;
}

export interface SnapshotRequest {
  readonly path: string;
  /** Commit the work started from. */
  readonly base: string;
  /** Full name of the ref that keeps the snapshot. */
  readonly ref: string;
  /** Commit the ref must have now; `null`: it must not exist. */
  readonly previous: string | null;
  readonly message: string;
}

/** A worktree's state kept as a commit. */
export interface Snapshot {
  /** HEAD itself when everything was committed, else a commit on top of it; `base` when the files are its. */
  readonly commit: string;
  readonly tree: string;
  /** `false` when the files are those of `previous`, or of `base` without one: the ref was left alone. */
  readonly changed: boolean;
  /** See `WorktreeTree`. */
  readonly missing: string | null;
}

type WorktreeTools = Pick<WorktreeSite, 'git' | 'fs' | 'files' | 'commonDir'>;

/** Author of the commits that only keep work; they never land. */
const KEEPER = { NAME: 'Parallel Executor', EMAIL: 'parallel-executor@localhost' } as const;
const GITLINK = '160000';

/**
 * Keeps what is in the worktree, tracked and untracked but not ignored, as a commit under a ref, which
 * moves by compare-and-swap. The worktree, its index and its branch stay as they are, and whoever works
 * there is not stopped: look at `missing` before you take it for everything. A look that found less than
 * git could read replaces nothing. Rejects with `GitError` when git cannot write it, and when the ref is
 * not at `previous`.
 */
export async function snapshotWorktree(
  site: WorktreeTools & Pick<WorktreeSite, 'root'>,
  { path, base, ref, previous, message }: SnapshotRequest,
): Promise<Snapshot> {
  const objects = site.git.objects(site.root);
  const taken = await takeTree(site, path);
  const { tree, missing } = taken;
  const before = previous ?? base;
  const unread = missing !== null && !taken.changed;
  if (unread || tree === (await objects.readCommit(before)).tree) {
    return { commit: before, tree, changed: false, missing };
  }
  const isBase = tree === (await objects.readCommit(base)).tree;
  const commit = isBase ? base : await commitTree(site, taken, message);
  const move =
    previous === null ? `create ${ref} ${commit}` : `update ${ref} ${commit} ${previous}`;
  const moved = await objects.moveRefs([move]);
  if (!moved.ok) throw new GitError(['update-ref', ref], moved.result);
  return { commit, tree, changed: true, missing };
}

/** The commit for a tree: HEAD when it has that tree already. It is under no ref yet. */
export async function commitTree(
  { git, commonDir }: Pick<WorktreeTools, 'git' | 'commonDir'>,
  { head, tree, changed }: WorktreeTree,
  message: string,
): Promise<string> {
  if (head !== null && !changed) return head;
  const parents = head === null ? [] : ['-p', head];
  const env = {
    GIT_AUTHOR_NAME: KEEPER.NAME,
    GIT_AUTHOR_EMAIL: KEEPER.EMAIL,
    GIT_COMMITTER_NAME: KEEPER.NAME,
    GIT_COMMITTER_EMAIL: KEEPER.EMAIL,
  };
  const args = ['commit-tree', ...parents, '-F', '-', tree];
  return git.text(args, { cwd: commonDir, env, stdin: message });
}

/** The worktree's files as a tree; of one that nobody touched it is known. */
export async function takeTree(site: WorktreeTools, path: string): Promise<WorktreeTree> {
  const head = await untouchedCommit(site, path);
  if (head !== null) {
    const { tree } = await site.git.objects(site.commonDir).readCommit(head);
    return { head, tree, changed: false, missing: null };
  }
  const { index, ...taken } = await takeIndexedTree(site, path);
  await site.fs.removeFile(index);
  return taken;
}

/**
 * Like `takeTree`, at half the price: it does not find out what the tree lacks. Enough for a look at work
 * that goes on. Resolves with the tree's id.
 */
export async function glanceAtTree(site: WorktreeTools, path: string): Promise<string> {
  const head = await untouchedCommit(site, path);
  if (head !== null) return (await site.git.objects(site.commonDir).readCommit(head)).tree;
  const { index, tree } = await takeIndexedTree(site, path, () => Promise.resolve(null));
  await site.fs.removeFile(index);
  return tree;
}

/**
 * Writes the worktree's files as a tree. An index that is as it was when the worktree was made serves
 * under a second name: git replaces the file, it never writes into it, and unchanged files are not
 * read. Otherwise it starts from an index of its own made from HEAD, not from a copy of the worktree's:
 * there an agent may have marked files as unchanged, and git's check for files written within the
 * clock's resolution does not survive the copy. That costs reading every file once.
 * The index it was taken with stays. No mark of an agent is in it.
 */
export async function takeIndexedTree(
  site: WorktreeTools,
  path: string,
  findMissing: typeof notInIndex = notInIndex,
): Promise<IndexedTree> {
  const { git, fs, files, commonDir } = site;
  await fs.makeDir(stateFolder(commonDir));
  const index = join(stateFolder(commonDir), `index-${randomUUID()}`);
  const entry = await findAdminEntry(site, path);
  const own = addressOf(site, path, entry);
  const at = { ...own, env: { ...own.env, GIT_INDEX_FILE: index } };
  try {
    const head = await headOf(site, at, entry);
    const fresh = head !== null && (await linkFresh(site, entry, head, index));
    if (!fresh) {
      await git.text(head === null ? ['read-tree', '--empty'] : ['read-tree', head], at);
      await markLeftOut(site, entry, own, at);
    }
    const options = ['--all', '--sparse', '--ignore-errors'];
    const inner = await innerRepositories(site, head);
    const sparse = entry?.way === 'sparse' ? SEE_EVERYTHING : [];
    // A git would start in each of them, and obey a configuration that the agent wrote.
    const without = inner.map((path) => `:(exclude,top,literal)${path}`);
    const add = ['-c', 'core.safecrlf=false', ...sparse, 'add', ...options, '--', '.', ...without];
    const added = await git.run(add, at);
    if (added.exitCode === -1) throw new GitError(add, added);
    if (head !== null && !fresh) await addForced(site, own, at, head);
    const tree = await git.text(['write-tree'], at);
    const headTree = head === null ? null : (await git.objects(commonDir).readCommit(head)).tree;
    const ownRepository = (await files.kind(join(path, '.git'))) === 'folder';
    const missing = ownRepository
      ? 'it was made a repository of its own'
      : added.exitCode !== 0
        ? added.stderr.trim()
        : ((await usedSubmodule(site, path, inner)) ?? (await findMissing(site, at, head)));
    return { head, tree, changed: tree !== headTree, missing, index };
  } catch (error) {
    await fs.removeFile(index);
    throw error;
  } finally {
    await fs.removeFile(`${index}.lock`);
  }
}

/**
 * Names repository and worktree explicitly. Left to itself, git would search upwards when the
 * worktree's `.git` file is gone, and take the main checkout around it.
 */
function addressOf(site: WorktreeTools, path: string, entry: AdminEntry | null): GitOptions {
  const gitDir = entry === null || entry.broken ? site.commonDir : entry.folder;
  return { cwd: path, env: { GIT_DIR: gitDir, GIT_WORK_TREE: path } };
}

/** `false` when the worktree's index may hold what an agent did to it. */
async function linkFresh(
  { fs }: WorktreeTools,
  entry: AdminEntry | null,
  head: string,
  index: string,
): Promise<boolean> {
  if (entry === null || entry.freshIndex === null || entry.base !== head) return false;
  const real = join(entry.folder, 'index');
  return (await fs.stamp(real)) === entry.freshIndex && (await fs.link(real, index));
}

async function headOf(
  site: WorktreeTools,
  at: GitOptions,
  entry: AdminEntry | null,
): Promise<string | null> {
  // Of the main checkout's HEAD, the worktree's says nothing.
  if (at.env?.['GIT_DIR'] === site.commonDir) return null;
  const branch = entry?.branch ?? null;
  if (branch !== null) return site.git.objects(site.commonDir).resolve(`${branch}^{commit}`);
  const head = await site.git.run(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], at);
  return head.exitCode === 0 ? head.stdout.trim() : null;
}

/** Files that git ignores and the agent added all the same are its work. */
async function addForced(
  { git }: WorktreeTools,
  own: GitOptions,
  at: GitOptions,
  head: string,
): Promise<void> {
  const options = ['--cached', '--name-only', '-z', '--no-renames', '--diff-filter=A'];
  const stdin = await git.text(['diff-index', ...options, head], own);
  if (stdin === '') return;
  await git.text(['update-index', '--add', '--remove', '-z', '--stdin'], { ...at, stdin });
}

/** Submodules of the commit the worktree is on. */
async function innerRepositories(
  { git, commonDir }: WorktreeTools,
  head: string | null,
): Promise<readonly string[]> {
  if (head === null) return [];
  const objects = git.objects(commonDir);
  return objects.gitlinks((await objects.readCommit(head)).tree);
}

/** We leave submodules empty. One that the agent filled may hold work that only a look inside would show. */
async function usedSubmodule(
  { files }: WorktreeTools,
  path: string,
  inner: readonly string[],
): Promise<string | null> {
  for (const name of inner) {
    if ((await files.kind(join(path, name, '.git'))) !== null)
      return `${name} is a submodule in use`;
  }
  return null;
}

/** A repository inside the worktree is stored as a bare commit id; the commit itself is not ours to keep. */
async function notInIndex(
  site: WorktreeTools,
  at: GitOptions,
  head: string | null,
): Promise<string | null> {
  const since = head ?? (await site.git.text(['hash-object', '-t', 'tree', '--stdin'], at));
  const options = ['--raw', '-z', '--no-renames', '--ignore-submodules=dirty'];
  const staged = await site.git.text(['diff-index', '--cached', ...options, since], at);
  const inner = changedGitlink(staged);
  if (inner !== null) return `${inner} is a repository of its own`;
  const unstaged = await site.git.run(['diff-files', '--quiet', '--ignore-submodules=dirty'], at);
  return unstaged.exitCode === 0 ? null : 'files changed meanwhile';
}

/** Path of a changed gitlink in `--raw -z` output: `:mode mode oid oid status NUL path NUL`. */
function changedGitlink(raw: string): string | null {
  const fields = raw.split('\0');
  const at = fields.findIndex((field) => field.startsWith(':') && field.split(' ')[1] === GITLINK);
  return at === -1 ? null : (fields[at + 1] ?? null);
}
