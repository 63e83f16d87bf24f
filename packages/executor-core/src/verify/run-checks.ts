import type { Failure } from '../model/failure';
import { createRedactor } from '../model/redactor';
import { secretValues } from '../model/secret-values';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { ProcessExit, ProcessRunner, RunningProcess } from '../ports/process-runner';
import { logTail } from './log-tail';

/** UTF-16 units of output that go into a `Failure`. */
const TAIL_CHARS = 4000;
const TAIL_BYTES = 4 * TAIL_CHARS;
const GRACE_MS = 5000;

export interface CheckRequest {
  readonly runner: Pick<ProcessRunner, 'start'>;
  readonly clock: Clock;
  readonly fs: FileSystem;
  /** Shell lines, run by `/bin/sh -c` one after the other until one fails. */
  readonly commands: readonly string[];
  readonly cwd: string;
  /** The whole environment of the commands. */
  readonly env: Readonly<Record<string, string>>;
  /** File that receives each command line and its output, appended. Its folder exists. */
  readonly logPath: string;
  /** For all commands together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly where: 'worktree' | 'merged';
  /** Time between SIGTERM and SIGKILL when commands must be stopped; default 5 s. */
  readonly graceMs?: number;
}

/** `null` means: still running, or ended by itself. */
type StopCause = 'timeout' | 'aborted' | null;

/**
 * Runs `commands` and resolves with `null` when all exit 0. Otherwise with what went wrong:
 * `verify-failed` (`code` is `null` after a signal, or when the shell could not be started),
 * `timeout`, or `interrupted` when `signal` was aborted: that one says nothing about the checks.
 * On timeout and abort the process group gets SIGTERM, and SIGKILL `graceMs` later.
 */
export async function runChecks(request: CheckRequest): Promise<Failure | null> {
  const deadline = request.clock.now() + request.timeoutMs;
  let seen = (await request.fs.size(request.logPath)) ?? 0;
  for (const command of request.commands) {
    if (request.signal?.aborted === true) return interrupted();
    seen += await writeHeading(request, command);
    const ended = await runCommand(request, command, deadline - request.clock.now());
    const size = (await request.fs.size(request.logPath)) ?? seen;
    const output = await request.fs.readFrom(request.logPath, Math.max(seen, size - TAIL_BYTES));
    seen = size;
    const failure = failureOf(request, command, ended, logTail(output, TAIL_CHARS));
    if (failure !== null) return failure;
  }
  return null;
}

type Ended =
  | { readonly cause: StopCause; readonly exit: ProcessExit }
  | { readonly cause: 'not-started'; readonly message: string };

async function runCommand(request: CheckRequest, command: string, leftMs: number): Promise<Ended> {
  const { cwd, env, logPath, runner } = request;
  const argv = ['/bin/sh', '-c', command];
  let child: RunningProcess;
  try {
    child = await runner.start({ argv, cwd, env, stdin: null, outputPath: logPath });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { cause: 'not-started', message };
  }
  return superviseUntilEnd(request, child, leftMs);
}

async function superviseUntilEnd(
  { clock, signal, graceMs = GRACE_MS }: CheckRequest,
  child: RunningProcess,
  leftMs: number,
): Promise<Ended> {
  const stopped: { cause: StopCause } = { cause: null };
  const timers: (() => void)[] = [];
  const stop = (cause: StopCause): void => {
    if (stopped.cause !== null) return;
    stopped.cause = cause;
    child.signal('SIGTERM');
    const kill = (): void => {
      child.signal('SIGKILL');
    };
    timers.push(clock.after(graceMs, kill));
  };
  const onAbort = (): void => {
    stop('aborted');
  };
  timers.push(
    clock.after(Math.max(0, leftMs), () => {
      stop('timeout');
    }),
  );
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const exit = await child.exited;
  for (const cancel of timers) cancel();
  signal?.removeEventListener('abort', onAbort);
  return { cause: stopped.cause, exit };
}

/** Resolves with the number of bytes written. */
async function writeHeading({ fs, logPath, env }: CheckRequest, command: string): Promise<number> {
  const clean = createRedactor(secretValues(env));
  const heading = Buffer.from(clean.text(`$ ${command}\n`));
  const log = await fs.openAppend(logPath);
  try {
    log.append(heading);
  } finally {
    await log.close();
  }
  return heading.length;
}

function failureOf(
  { timeoutMs, where }: CheckRequest,
  command: string,
  ended: Ended,
  tail: string,
): Failure | null {
  switch (ended.cause) {
    case 'timeout':
      return { kind: 'timeout', afterMs: timeoutMs, tail };
    case 'aborted':
      return interrupted();
    case 'not-started':
      return { kind: 'verify-failed', where, command, code: null, tail: ended.message };
    case null:
      if (ended.exit.code === 0) return null;
      return { kind: 'verify-failed', where, command, code: ended.exit.code, tail };
  }
}

function interrupted(): Failure {
  return { kind: 'interrupted', message: 'checks were stopped before they ended' };
}
