import { CommanderError } from 'commander';
import type { UserError } from '@parallel-executor/core';
import type { Deps } from './deps';
import type { ExitCode } from './exit-codes';
import { ExitCode as Exit } from './exit-codes';
import { lazy } from './lazy';
import { buildProgram } from './program';
import { realDeps } from './real-deps';
import { UsageError } from './usage-error';

/**
 * Runs one command line (`argv` as in `process.argv`) and resolves with its exit code. Mistakes of
 * the user are shown as one line and what to do; everything else rejects, because it is a bug.
 */
export async function main(argv: readonly string[], deps: Deps = realDeps()): Promise<number> {
  let code: ExitCode = Exit.ok;
  const program = buildProgram(deps, (finished) => {
    code = finished;
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    return explainError(error, deps);
  }
}

function explainError(error: unknown, deps: Deps): ExitCode {
  // Commander has printed its message (or the help that was asked for) already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
  if (error instanceof UsageError) return complain(error, Exit.usage, deps);
  if (isUserError(error)) return complain(withoutSecrets(error, deps), codeOf(error), deps);
  throw error;
}

/** git and other programs say addresses with a password in them. */
function withoutSecrets(error: UserError, { env }: Deps): Parameters<typeof complain>[0] {
  const { redactSecrets } = lazy.engine();
  const clean = (text: string): string => redactSecrets(text, env);
  return { message: clean(error.message), fix: error.fix === null ? null : clean(error.fix) };
}

function complain(
  error: { readonly message: string; readonly fix: string | null },
  code: ExitCode,
  deps: Deps,
): ExitCode {
  deps.stderr.write(`error: ${error.message}\n`);
  if (error.fix !== null) deps.stderr.write(`${error.fix}\n`);
  return code;
}

function codeOf(error: UserError): ExitCode {
  switch (error.kind) {
    case 'usage':
    case 'environment':
      return Exit.usage;
    case 'busy':
      return Exit.busy;
  }
}

/** By name: the class itself would load the engine, also for a mistake in the options. */
function isUserError(error: unknown): error is UserError {
  return error instanceof Error && error.name === 'UserError' && 'kind' in error && 'fix' in error;
}
