import { UserError } from '../model/user-error';
import { GitError, type Git, type GitResult } from '../ports/git';

/** The repository a run works on, as it was when looked at. Paths are absolute, links resolved. */
export interface Repository {
  /** Top level of the checkout the command was started in. */
  readonly root: string;
  /** What all worktrees share (`.git` of the main checkout). */
  readonly commonDir: string;
  /** What belongs to this checkout alone; equal to `commonDir` in the main checkout. */
  readonly gitDir: string;
  /** Commit id of HEAD. */
  readonly head: string;
  /** Full name of the branch HEAD is on; `null` when detached. */
  readonly branch: string | null;
  /** Changed and untracked paths; an untracked folder counts once. */
  readonly dirtyFiles: number;
  readonly isLinkedWorktree: boolean;
}

/** `merge-tree --write-tree` came with it. */
const OLDEST_GIT = [2, 38] as const;

/**
 * Looks at the repository around `cwd`. Unmerged files and a rebase in progress are no error.
 * Throws `UserError('environment')` outside a repository, in a bare one, before the first commit and
 * with a git older than 2.38.
 */
export async function inspectRepository(git: Git, cwd: string): Promise<Repository> {
  // Asked at once; what is wrong is told in this order, since one mistake may cause the next.
  const status = git.run(STATUS, { cwd });
  const [, location] = await Promise.all([assertGitVersion(git, cwd), locate(git, cwd), status]);
  const isLinkedWorktree = location.gitDir !== location.commonDir;
  return { ...location, isLinkedWorktree, ...stateOf(location.root, await status) };
}

/** The same repository as it is now: `head`, `branch` and `dirtyFiles` may have changed. */
export async function lookAgain(git: Git, known: Repository): Promise<Repository> {
  return { ...known, ...stateOf(known.root, await git.run(STATUS, { cwd: known.root })) };
}

/** The options that the user's configuration could change are given, so that a number does not depend on it. */
const STATUS = [
  'status',
  '--porcelain=v2',
  '--branch',
  '-z',
  '--no-renames',
  '--untracked-files=normal',
  // Whether a submodule is dirty would be asked of a git that obeys its configuration.
  '--ignore-submodules=dirty',
];

/** HEAD and the number of changed and untracked, not ignored, paths, from what `git status` says. */
function stateOf(
  root: string,
  status: GitResult,
): Pick<Repository, 'head' | 'branch' | 'dirtyFiles'> {
  if (status.exitCode !== 0) throw new GitError(STATUS, status);
  const entries = status.stdout.split('\0').filter((entry) => entry !== '');
  const header = (name: string): string => {
    const line = entries.find((entry) => entry.startsWith(`# branch.${name} `));
    return line?.slice(`# branch.${name} `.length) ?? '';
  };
  const head = header('oid');
  const branch = header('head');
  if (head === '(initial)') throw noCommit(root);
  return {
    head,
    branch: branch === '(detached)' ? null : `refs/heads/${branch}`,
    dirtyFiles: entries.filter((entry) => !entry.startsWith('# ')).length,
  };
}

async function assertGitVersion(git: Git, cwd: string): Promise<void> {
  const { exitCode, stdout: said, stderr } = await git.run(['version'], { cwd });
  if (exitCode !== 0) throw notARepository(cwd, stderr);
  const [, major, minor] = /(\d+)\.(\d+)/.exec(said) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST_GIT;
  const known = Number(major) * 1000 + Number(minor);
  if (known >= oldestMajor * 1000 + oldestMinor) return;
  throw new UserError(
    'environment',
    `${said.trim()} is too old: merging without a checkout needs git ${OLDEST_GIT.join('.')}.`,
    `Install git ${OLDEST_GIT.join('.')} or newer.`,
  );
}

type Location = Pick<Repository, 'root' | 'gitDir' | 'commonDir'>;

async function locate(git: Git, cwd: string): Promise<Location> {
  const asked = ['--is-bare-repository', '--is-inside-work-tree', '--absolute-git-dir'];
  const found = await git.run(
    ['rev-parse', ...asked, '--path-format=absolute', '--git-common-dir', '--show-toplevel'],
    { cwd },
  );
  // Outside a checkout only the last question fails.
  const [bare, inside, gitDir = '', commonDir = '', root = ''] = found.stdout.split('\n');
  if (bare === 'true') throw bareRepository(gitDir);
  if (bare === 'false' && inside === 'false') throw notInACheckout(cwd);
  if (found.exitCode !== 0) throw notARepository(cwd, found.stderr);
  return { root, gitDir, commonDir };
}

/** git's own words matter: the folder may be a repository it refuses to trust. */
function notARepository(cwd: string, stderr: string): UserError {
  if (!/not a git repository/i.test(stderr)) {
    return new UserError('environment', `git cannot use ${cwd}: ${stderr.trim()}`);
  }
  return new UserError(
    'environment',
    `${cwd} is not in a git repository.`,
    'Change to a repository, or make one: git init && git add -A && git commit',
  );
}

function bareRepository(gitDir: string): UserError {
  return new UserError(
    'environment',
    `${gitDir} is a bare repository: it has no checkout to work on.`,
    'Run in a clone or in a worktree of it: git worktree add ../checkout',
  );
}

function notInACheckout(cwd: string): UserError {
  return new UserError(
    'environment',
    `${cwd} is inside a git folder, not in a checkout.`,
    'Change to the folder that holds your files.',
  );
}

function noCommit(root: string): UserError {
  return new UserError(
    'environment',
    `${root} has no commit yet, so there is nothing to start from.`,
    'Make a first commit: git add -A && git commit',
  );
}
