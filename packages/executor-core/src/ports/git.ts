/** What one git process answered. A non-zero exit is a value: merge-tree says "conflict" with 1. */
export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GitOptions {
  /** Folder to run in. */
  readonly cwd: string;
  readonly stdin?: string | Buffer;
  /** Added to the neutral environment, e.g. `GIT_INDEX_FILE`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One entry of a tree object. Names keep git's bytes, one character per byte (`latin1`). */
export interface TreeEntry {
  /** `100644`, `100755`, `120000`, `160000` or `40000`. */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

/** The parts of a commit object that a run asks for. */
export interface CommitHead {
  readonly tree: string;
  readonly parents: readonly string[];
}

export type GitObjectsUse = 'read' | 'writeTree' | 'writeCommit' | 'moveRefs' | 'patch';

/**
 * A repository's objects and refs, asked through git processes that stay: a question costs a pipe's
 * round trip, not a process. Ids are full. All of it reads and writes what any git would.
 */
export interface GitObjects {
  /** Id of what a revision names, such as `refs/heads/main^{commit}`; `null` when there is none. */
  resolve(revision: string): Promise<string | null>;
  /** Starts the processes behind these that are not there yet, so that the first to ask need not wait. */
  prepare(...uses: readonly GitObjectsUse[]): void;
  /** Rejects when the object is missing or no commit. */
  readCommit(id: string): Promise<CommitHead>;
  /** Entries in git's order. Rejects when the object is missing or no tree. */
  readTree(id: string): Promise<readonly TreeEntry[]>;
  /** Whole content, as it is stored. Rejects when the object is missing or no blob. */
  readBlob(id: string): Promise<Buffer>;
  /** Paths below a tree that name commits of other repositories (submodules), read as UTF-8. */
  gitlinks(tree: string): Promise<readonly string[]>;
  /** Order of the entries does not matter; that their objects exist is the caller's care. */
  writeTree(entries: readonly TreeEntry[]): Promise<string>;
  /** `text`: the whole commit object. Rejects with `GitError` when git finds it malformed. */
  writeCommit(text: string): Promise<string>;
  /** Stores `content` as it is, without filters. */
  writeBlob(content: Buffer): Promise<string>;
  /**
   * One ref transaction of `update-ref --stdin` lines (`create`, `update`, `delete`, `verify`), all or
   * nothing. A refusal is a value: another value than expected, or a lock that stays.
   */
  moveRefs(lines: readonly string[]): Promise<RefTransaction>;
  /**
   * What turns the tree `from` into the tree `to`, as a patch with whole ids and binary files, byte for
   * byte as git writes it whatever the user configured; renames are not looked for.
   */
  patch(from: string, to: string): Promise<Buffer>;
}

export type RefTransaction =
  { readonly ok: true } | { readonly ok: false; readonly result: GitResult };

/**
 * The one door to git. Runs with a neutral environment: no `GIT_*` from outside, no hooks, no
 * fsmonitor, no automatic gc, no pager, no prompt, messages in English.
 */
export interface Git {
  run(args: readonly string[], options: GitOptions): Promise<GitResult>;
  /** Like `run`, but rejects with `GitError` on a non-zero exit; returns stdout without its last newline. */
  text(args: readonly string[], options: GitOptions): Promise<string>;
  /** The objects and refs of the repository around `root`, an absolute path. `env` as in `GitOptions`. */
  objects(root: string, env?: Readonly<Record<string, string>>): GitObjects;
}

/** git refused. `message` names the command and holds git's own words. */
export class GitError extends Error {
  override readonly name = 'GitError';
  constructor(
    readonly args: readonly string[],
    readonly result: GitResult,
  ) {
    const said = result.stderr.trim() || result.stdout.trim();
    super(
      `git ${args.slice(0, 3).join(' ')} failed (exit ${result.exitCode})${said ? `: ${said}` : ''}`,
    );
  }
}

/** `true` when somebody ended git, by a signal, before it could answer: nothing is said about the work. */
export function wasInterrupted(error: unknown): boolean {
  return error instanceof GitError && error.result.exitCode === -1;
}
