import type { ProcessIdentity } from '../model/process';

/** A program to start in its own process group. `argv` is started without a shell. */
export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  readonly stdin: string | null;
  /** File that receives stdout and stderr, appended, mode 0600. */
  readonly outputPath: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended and its output is complete; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends `signal` to the whole process group. */
  signal(signal: NodeJS.Signals): void;
}

export interface ProcessRunner {
  /** Rejects with a plain `Error` when the program cannot be started. */
  start(spec: ProcessSpec): Promise<RunningProcess>;
}
