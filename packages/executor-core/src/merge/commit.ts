import type { Git } from '../ports/git';

export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Used where git has no name for the user, e.g. in a container. */
const FALLBACK: Identity = { name: 'Parallel Executor', email: 'parallel-executor@localhost' };

export interface CommitRequest {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Author; the committer is always the user. Default: the user. */
  readonly author?: Identity;
}

/**
 * Makes commits without a working tree. The user's name is asked for once per process: from git's
 * configuration, else a neutral one. `commit` resolves with the commit id.
 */
export function createCommitter(
  git: Git,
  cwd: string,
): { commit(request: CommitRequest): Promise<string> } {
  const commit = async ({ tree, parents, message, author }: CommitRequest): Promise<string> => {
    const user = await userEnvironment(git, cwd);
    const env = author === undefined ? user : { ...user, ...authorEnvironment(author) };
    // The message is UTF-8 whatever `i18n.commitEncoding` says.
    const args = ['-c', 'i18n.commitEncoding=UTF-8', 'commit-tree', tree];
    for (const parent of parents) args.push('-p', parent);
    return git.text([...args, '-F', '-'], { cwd, env, stdin: message });
  };
  return { commit };
}

/** Who commits does not change while a process runs: asked once per git and folder. */
const known = new WeakMap<Git, Map<string, Promise<Readonly<Record<string, string>>>>>();

function userEnvironment(git: Git, cwd: string): Promise<Readonly<Record<string, string>>> {
  const byFolder = known.get(git) ?? new Map<string, Promise<Readonly<Record<string, string>>>>();
  known.set(git, byFolder);
  const asked = byFolder.get(cwd) ?? askUser(git, cwd);
  byFolder.set(cwd, asked);
  return asked;
}

async function askUser(git: Git, cwd: string): Promise<Readonly<Record<string, string>>> {
  const [author, committer] = await Promise.all([
    git.run(['var', 'GIT_AUTHOR_IDENT'], { cwd }),
    git.run(['var', 'GIT_COMMITTER_IDENT'], { cwd }),
  ]);
  return {
    ...(author.exitCode === 0 ? {} : authorEnvironment(FALLBACK)),
    ...(committer.exitCode === 0 ? {} : committerEnvironment(FALLBACK)),
  };
}

function authorEnvironment({ name, email }: Identity): Record<string, string> {
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email };
}

function committerEnvironment({ name, email }: Identity): Record<string, string> {
  return { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
