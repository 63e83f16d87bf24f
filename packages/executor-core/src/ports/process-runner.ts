import type { ProcessIdentity } from '../model/process';

/** A program to start in its own session and process group. `argv` is started without a shell. */
export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  readonly stdin: string | null;
  /**
   * File that receives stdout and stderr, appended, mode 0600, without the secrets in `env`. It is
   * bounded: of long output the first 8 MiB and the last 64 KiB; `<outputPath>.rest` has what came between.
   */
  readonly outputPath: string;
  /** Sees the output as the program writes it, in pieces. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Folder that is this program's alone: who works in it and is nobody else's belongs to it. */
  readonly ownFolder?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /**
   * Resolves when the process has ended, everything it left behind has been ended, and its output is
   * complete; never rejects.
   */
  readonly exited: Promise<ProcessExit>;
  /**
   * Sends `signal` to the whole process tree (see `ProcessTrees`). A tree that `SIGSTOP` froze goes on
   * with `SIGCONT`, and when it is asked to end.
   */
  signal(signal: NodeJS.Signals): void;
}

export interface ProcessRunner {
  /** Looks for and starts whatever every `start` needs, so that the first one need not wait. Never rejects. */
  prepare(): Promise<void>;
  /** Rejects with a plain `Error` when the program cannot be started. */
  start(spec: ProcessSpec): Promise<RunningProcess>;
}
