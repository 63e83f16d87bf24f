import * as fs from 'node:fs';
import { Socket } from 'node:net';
import { outputPipe } from '../model/process';
import { createRedactor } from '../model/redactor';
import { secretValues } from '../model/secret-values';
import type { ProcessSpec } from '../ports/process-runner';
import { KeptOutput } from './kept-output';
import { ShellLauncher } from './shell-launcher';
import { systemShell } from './system-shell';

/** How long output may go on to arrive when nobody who could write it is left. */
const DRAIN_MS = 2000;

/** Where a program's standard output and error go. */
export interface OutputPipe {
  /** For the program; closed by `started`. */
  readonly fd: number;
  /** The program has its end, or could not be started. */
  started(): void;
  /** Resolves when all that was written is in the log. */
  finish(): Promise<void>;
}

/**
 * A pipe with a name whose other end keeps a bounded log without the secrets of the program's own
 * environment. It is a pipe, not one of Node's sockets, because programs open `/dev/stderr` again; and it
 * has a name so that whoever still writes to it can be told by it. A program that writes faster than we
 * read waits.
 */
export async function openOutputPipe(
  spec: Pick<ProcessSpec, 'outputPath' | 'env' | 'onOutput'>,
): Promise<OutputPipe> {
  const path = outputPipe(spec.outputPath);
  const kept = new KeptOutput(spec.outputPath, createRedactor(secretValues(spec.env)).stream());
  try {
    fs.rmSync(path, { force: true });
    await makePipe(path);
    const { O_RDONLY, O_NONBLOCK, O_WRONLY, O_NOFOLLOW } = fs.constants;
    // The reading end first: a pipe nobody reads cannot be opened for writing without waiting.
    const reader = new Socket({
      fd: fs.openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW),
      readable: true,
      writable: false,
    });
    return pipeOf(path, reader, fs.openSync(path, O_WRONLY | O_NOFOLLOW), kept, spec.onOutput);
  } catch (error) {
    kept.end();
    throw error;
  }
}

/** Starts what makes pipes. Never rejects: whoever opens the first pipe is told what is wrong. */
export async function prepareOutputPipes(): Promise<void> {
  await systemShell()
    .run({ argv: [':'], cwd: '/', env: {} })
    .catch(() => undefined);
}

/** Node cannot make one itself. */
async function makePipe(path: string): Promise<void> {
  const call = { argv: ['mkfifo', '-m', '600', path], cwd: '/', env: {} };
  if (!ShellLauncher.accepts(call)) throw new Error(`No pipe can be made at ${path}.`);
  const { exitCode, stderr } = await systemShell().run(call);
  if (exitCode !== 0) throw new Error(`No pipe could be made at ${path}: ${stderr.trim()}`);
}

function pipeOf(
  path: string,
  reader: Socket,
  fd: number,
  kept: KeptOutput,
  onOutput: ProcessSpec['onOutput'],
): OutputPipe {
  let problem: unknown = null;
  const closed = new Promise<void>((resolve) => {
    reader.once('close', () => {
      resolve();
    });
  });
  reader.on('error', () => undefined);
  reader.on('data', (chunk) => {
    onOutput?.(chunk);
    // A full disk must not end the run: the program goes on, its log does not.
    if (problem !== null) return;
    try {
      kept.take(chunk);
    } catch (error) {
      problem = error;
    }
  });
  return {
    fd,
    started: () => {
      fs.closeSync(fd);
    },
    async finish() {
      const timer = setTimeout(() => reader.destroy(), DRAIN_MS);
      await closed;
      clearTimeout(timer);
      fs.rmSync(path, { force: true });
      try {
        kept.end();
      } catch {
        // Told by nobody: the log is an extra.
      }
    },
  };
}
