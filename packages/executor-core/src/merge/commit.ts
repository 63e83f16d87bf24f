import type { Git } from '../ports/git';

export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Used where git has no name for the user, e.g. in a container. */
const FALLBACK = 'Parallel Executor <parallel-executor@localhost>';

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
    const user = await userIdentities(git, cwd);
    const when = timestamp(new Date());
    const by = author === undefined ? user.author : `${author.name} <${author.email}>`;
    const lines = [
      `tree ${tree}`,
      ...parents.map((parent) => `parent ${parent}`),
      `author ${by} ${when}`,
      `committer ${user.committer} ${when}`,
    ];
    return git.objects(cwd).writeCommit(`${lines.join('\n')}\n\n${message}`);
  };
  return { commit };
}

/** Seconds since the epoch and the offset to UTC, as a commit has them. */
function timestamp(now: Date): string {
  const offset = -now.getTimezoneOffset();
  const size = Math.abs(offset);
  const digits = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${digits(size / 60)}${digits(size % 60)}`;
  return `${Math.floor(now.getTime() / 1000)} ${zone}`;
}

/** As `Name <email>`. */
interface Identities {
  readonly author: string;
  readonly committer: string;
}

/** Who commits does not change while a process runs: asked once per git and folder. */
const known = new WeakMap<Git, Map<string, Promise<Identities>>>();

function userIdentities(git: Git, cwd: string): Promise<Identities> {
  const byFolder = known.get(git) ?? new Map<string, Promise<Identities>>();
  known.set(git, byFolder);
  const asked = byFolder.get(cwd) ?? askUser(git, cwd);
  byFolder.set(cwd, asked);
  return asked;
}

async function askUser(git: Git, cwd: string): Promise<Identities> {
  const ask = async (variable: string): Promise<string> => {
    const { exitCode, stdout } = await git.run(['var', variable], { cwd });
    // "Name <email> seconds zone": git has taken out of the name what a commit may not hold.
    return exitCode === 0 ? stdout.trim().replace(/ \d+ [-+]\d+$/, '') : FALLBACK;
  };
  const [author, committer] = await Promise.all([
    ask('GIT_AUTHOR_IDENT'),
    ask('GIT_COMMITTER_IDENT'),
  ]);
  return { author, committer };
}
