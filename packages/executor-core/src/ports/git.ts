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

/**
 * The one door to git. Runs with a neutral environment: no `GIT_*` from outside, no hooks, no
 * fsmonitor, no automatic gc, no pager, no prompt, messages in English.
 */
export interface Git {
  run(args: readonly string[], options: GitOptions): Promise<GitResult>;
  /** Like `run`, but rejects with `GitError` on a non-zero exit; returns stdout without its last newline. */
  text(args: readonly string[], options: GitOptions): Promise<string>;
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
