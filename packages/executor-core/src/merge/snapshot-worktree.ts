import { join } from 'node:path';
import type { GitResult } from '../ports/git';
import type { Scratch } from './temporary-index';
import { withScratchFile } from './temporary-index';

/** Finds edits git was told not to look for: files marked `skip-worktree` that are there anyway. */
const SEE_EVERYTHING = [
  '-c',
  'core.sparseCheckout=true',
  '-c',
  'sparse.expectFilesOutsideOfPatterns=false',
];
/** The user's line-ending worries and tolerances do not decide what is kept. */
const TAKE_ALL = ['-c', 'core.safecrlf=false', '-c', 'add.ignoreErrors=false'];
/** git writes this where a byte of a path is no UTF-8; such a name cannot be handed back to it. */
const UNREADABLE = '\ufffd';
const GITLINK = '160000';
const NOTHING_TO_DO: GitResult = { exitCode: 0, stdout: '', stderr: '' };

export type Snapshot =
  | { readonly ok: true; readonly tree: string }
  /** git could not take the working tree in; `problem` is one sentence for people. */
  | { readonly ok: false; readonly problem: string };

export interface SnapshotRequest {
  /** Commit HEAD is on. */
  readonly head: string;
  /** Repository paths that are not the agent's work and stay as in `head`. */
  readonly exclude?: readonly string[] | undefined;
  /** The index is as it was when the worktree was made from `head`: nothing staged, nothing marked. */
  readonly fresh?: boolean;
}

/**
 * The tree of everything in a worktree: what `head` has, what was staged, changed, deleted or newly
 * written and is not ignored; outside a sparse cone what `head` has. The worktree's own index is read,
 * never written. Precondition: the agent has ended; a lock its killed git left on the index is removed.
 */
export function snapshotWorktree(
  scratch: Scratch,
  { head, exclude = [], fresh = false }: SnapshotRequest,
): Promise<Snapshot> {
  return withScratchFile(scratch, async (index) => {
    const { git, cwd } = scratch;
    const run: RunGit = (args, stdin) =>
      git.run(args, {
        cwd,
        env: { GIT_INDEX_FILE: index },
        ...(stdin === undefined ? {} : { stdin }),
      });
    const linked = fresh && (await scratch.fs.link(join(scratch.gitDir, 'index'), index));
    const refusal = linked ? null : await copyIndex(scratch, run, index, head);
    if (refusal !== null) return refused(refusal);
    const inner = await innerRepositories(scratch, run, head, linked);
    const without = [...(await visible(run, exclude)), ...inner].map(
      (path) => `:(exclude,top,literal)${path}`,
    );
    const how = [...SEE_EVERYTHING, ...TAKE_ALL];
    const added = await run([...how, 'add', '-A', '--sparse', '--', ':/', ...without]);
    if (added.exitCode !== 0) return refused(added);
    const bumped = await takeCommits(run, inner);
    if (bumped.exitCode !== 0) return refused(bumped);
    const written = await run(['write-tree']);
    return written.exitCode === 0 ? { ok: true, tree: written.stdout.trim() } : refused(written);
  });
}

/**
 * The paths git would take in unless it is told not to. To name one that git ignores anyway makes
 * `git add` complain and fail, although it is told to leave it out (git 2.39).
 */
async function visible(run: RunGit, paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const { stdout } = await run(['check-ignore', '-z', '--stdin'], `${paths.join('\0')}\0`);
  const ignored = new Set(stdout.split('\0'));
  return paths.filter((path) => !ignored.has(path));
}

/**
 * Repositories inside the worktree that the scratch index names. `git add` would start a git in each of
 * them, to see whether it is dirty: one that obeys the inner configuration, which the agent wrote.
 */
async function innerRepositories(
  { git, root }: Scratch,
  run: RunGit,
  head: string,
  fresh: boolean,
): Promise<readonly string[]> {
  const objects = git.objects(root);
  const inHead = await objects.gitlinks((await objects.readCommit(head)).tree);
  if (fresh) return inHead;
  const staged = await run(['diff-index', '--cached', '--raw', '-z', '--no-renames', head, '--']);
  const fields = staged.stdout.split('\0');
  const added = fields.flatMap((field, at) => {
    const path = fields[at + 1];
    return field.split(' ')[1] === GITLINK && path !== undefined ? [path] : [];
  });
  return [...new Set([...inHead, ...added])];
}

/** Has the index name the commits the inner repositories are on. It looks at their HEAD and no further. */
async function takeCommits(run: RunGit, inner: readonly string[]): Promise<GitResult> {
  if (inner.length === 0) return NOTHING_TO_DO;
  return run(['update-index', '--add', '--remove', '-z', '--stdin'], `${inner.join('\0')}\0`);
}

type RunGit = (args: readonly string[], stdin?: string) => Promise<GitResult>;

/**
 * Makes the scratch index from an index the agent may have changed. It keeps the stat data of the real
 * one, hence unchanged files are not read; git itself copies it, so that entries too young to be trusted
 * are looked at again. (Of a fresh index a second name does: git replaces the file, it never writes
 * into it, and the time stamp that tells young entries stays.) Resolves with what went wrong.
 */
async function copyIndex(
  scratch: Scratch,
  run: RunGit,
  index: string,
  head: string,
): Promise<GitResult | null> {
  const { git, cwd, fs, gitDir } = scratch;
  const copy = ['read-tree', '--reset', '-i', `--index-output=${index}`, head];
  let copied = await git.run(copy, { cwd });
  if (copied.exitCode !== 0 && (await fs.removeFile(join(gitDir, 'index.lock')))) {
    copied = await git.run(copy, { cwd });
  }
  if (copied.exitCode !== 0) return copied;
  const { known, unknown } = await stagedChanges(scratch, head);
  if (known !== '') {
    const result = await run(['update-index', '-z', '--index-info'], known);
    if (result.exitCode !== 0) return result;
  }
  if (unknown !== '') {
    const result = await run(['update-index', '--add', '--remove', '-z', '--stdin'], unknown);
    if (result.exitCode !== 0) return result;
  }
  // Exit 1 only says that files changed. Clears "assume unchanged" where it is untrue.
  await run(['update-index', '-q', '--really-refresh']);
  return null;
}

/** `known`: input of `update-index --index-info`; `unknown`: paths, whose content is to be taken anew. */
interface Staged {
  readonly known: string;
  readonly unknown: string;
}

/**
 * What the worktree's index has and `head` has not. An agent in a sandbox has objects of its own, which
 * are gone with it: then only the file is left. For the rest the index is the only
 * trace of an ignored file that was added by force, or of a tracked one that no longer is.
 */
async function stagedChanges({ git, root, cwd }: Scratch, head: string): Promise<Staged> {
  const args = ['diff-index', '--cached', '--raw', '-z', '--no-renames', '--no-abbrev', head, '--'];
  const { exitCode, stdout } = await git.run(args, { cwd });
  const staged = { known: '', unknown: '' };
  if (exitCode !== 0) return staged;
  const fields = stdout.split('\0');
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', , oid = '', status = ''] = (fields[at] ?? '').split(' ');
    const path = fields[at + 1] ?? '';
    if (status === 'U' || (status !== 'D' && /^0+$/.test(oid)) || path.includes(UNREADABLE))
      continue;
    const here =
      status === 'D' || mode === GITLINK || (await git.objects(root).resolve(oid)) !== null;
    if (here) staged.known += `${status === 'D' ? '0' : mode} ${oid}\t${path}\0`;
    else staged.unknown += `${path}\0`;
  }
  return staged;
}

function refused({ stderr, exitCode }: GitResult): Snapshot {
  const lines = stderr.split('\n').filter((line) => /^(?:error|fatal): /.test(line));
  const said = lines.map((line) => line.replace(/^\w+: /, '')).join('; ');
  return {
    ok: false,
    problem: `git could not take in the worktree: ${said || `exit ${exitCode}`}`,
  };
}
