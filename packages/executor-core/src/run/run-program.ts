import type { Clock } from '../ports/clock';
import type { ProcessRunner, ProcessSpec } from '../ports/process-runner';

export interface ProgramEnd {
  /** `null`: it was killed, e.g. because its time was up. */
  readonly code: number | null;
  /** What it wrote to stdout and stderr. */
  readonly output: string;
}

/**
 * Runs a program that answers by its exit code and output, for `limitMs` at most. `null` when it cannot be
 * started, e.g. because it is not on PATH.
 */
export async function runProgram(
  { runner, clock }: { readonly runner: Pick<ProcessRunner, 'start'>; readonly clock: Clock },
  spec: Omit<ProcessSpec, 'stdin' | 'onOutput'>,
  limitMs: number,
): Promise<ProgramEnd | null> {
  const chunks: Buffer[] = [];
  const onOutput = (chunk: Buffer): void => {
    chunks.push(chunk);
  };
  // The port has one reason to reject: the program cannot be started.
  const process = await runner.start({ ...spec, stdin: null, onOutput }).catch(() => null);
  if (process === null) return null;
  const cancel = clock.after(limitMs, () => {
    process.signal('SIGKILL');
  });
  const { code } = await process.exited;
  cancel();
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}
