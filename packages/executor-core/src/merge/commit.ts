import type { Identity } from '../model/identity';
import { parseIdentity } from '../model/identity';
import type { CommitSettings } from '../model/task';
import type { Git } from '../ports/git';
import { AGENT_TRAILER, trailerValues } from './trailers';

/** Used where git has no name for the user, e.g. in a container. */
const FALLBACK = 'Parallel Executor <parallel-executor@localhost>';

export interface CommitRequest {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** Author; the committer is always the user. Default: the user. */
  readonly author?: Identity;
}

export interface Committer {
  /** Resolves with the commit id. Rejects with `GitError` when it cannot be signed. */
  commit(request: CommitRequest): Promise<string>;
}

/** By the user and unsigned: what commits are that nobody is meant to keep. */
export const PLAIN_COMMITS: CommitSettings = { author: 'user', sign: 'never' };

/**
 * Makes commits without a working tree. The user's name is asked for once per process: from git's
 * configuration, else a neutral one. Only a commit that is to be signed costs a process.
 */
export function createCommitter(
  git: Git,
  cwd: string,
  { author: choice, sign }: CommitSettings = PLAIN_COMMITS,
): Committer {
  const commit = async (request: CommitRequest): Promise<string> => {
    const { tree, parents, message, author } = request;
    const user = await userIdentities(git, cwd);
    const when = timestamp(new Date());
    const chosen = author ?? chosenAuthor(choice, message);
    const by = chosen === null ? user.author : `${chosen.name} <${chosen.email}>`;
    if (sign === 'always' || (sign === 'auto' && (await signsCommits(git, cwd)))) {
      const env = { ...named('AUTHOR', by, when), ...named('COMMITTER', user.committer, when) };
      return signedCommit(git, cwd, request, env);
    }
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

/** Asks git what the first commit would wait for. */
export async function prepareCommits(git: Git, cwd: string): Promise<void> {
  await Promise.all([userIdentities(git, cwd), signsCommits(git, cwd)]);
}

/** Mail domain of agents: no host has it. */
const AGENT_MAIL = 'agents.invalid';

/** `null`: the user. A commit with the work of several agents is the user's. */
function chosenAuthor(choice: string, message: string): Identity | null {
  if (choice === 'user') return null;
  if (choice !== 'agent') return parseIdentity(choice);
  const [name, ...others] = new Set(trailerValues(message, AGENT_TRAILER));
  if (name === undefined || others.length > 0) return null;
  return { name, email: `${name.replace(/[^A-Za-z0-9._-]/g, '-')}@${AGENT_MAIL}` };
}

/** What git knows somebody by: `who` is `Name <mail>`. */
function named(role: 'AUTHOR' | 'COMMITTER', who: string, when: string): Record<string, string> {
  const at = who.lastIndexOf(' <');
  return {
    [`GIT_${role}_NAME`]: who.slice(0, at),
    [`GIT_${role}_EMAIL`]: who.slice(at + 2, -1),
    [`GIT_${role}_DATE`]: `@${when}`,
  };
}

function signedCommit(
  git: Git,
  cwd: string,
  { tree, parents, message }: CommitRequest,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const args = [
    ...['-c', 'i18n.commitEncoding=UTF-8', 'commit-tree', '--gpg-sign', tree],
    ...parents.flatMap((parent) => ['-p', parent]),
    ...['-F', '-'],
  ];
  return git.text(args, { cwd, env, stdin: message });
}

/** Whether the user has git sign commits (`commit.gpgSign`). Asked once per process. */
export function signsCommits(git: Git, cwd: string): Promise<boolean> {
  return once(signing, git, cwd, async () => {
    // Not `git config`: this one answers from the configuration the run started with.
    const listed = await git.run(['var', '-l'], { cwd });
    const values = [...listed.stdout.matchAll(/^commit\.gpgsign(?:=(.*))?$/gm)];
    const last = values.at(-1);
    return last !== undefined && /^(?:true|yes|on|[1-9]\d*)?$/i.test(last[1] ?? '');
  });
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

/** By git and folder: what does not change while a process runs. */
type Known<T> = WeakMap<Git, Map<string, Promise<T>>>;
const known: Known<Identities> = new WeakMap();
const signing: Known<boolean> = new WeakMap();

function once<T>(table: Known<T>, git: Git, cwd: string, ask: () => Promise<T>): Promise<T> {
  const byFolder = table.get(git) ?? new Map<string, Promise<T>>();
  table.set(git, byFolder);
  const asked = byFolder.get(cwd) ?? ask();
  byFolder.set(cwd, asked);
  return asked;
}

function userIdentities(git: Git, cwd: string): Promise<Identities> {
  return once(known, git, cwd, () => askUser(git, cwd));
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
