import type { RunResult } from '@parallel-executor/core';

/** What the process says to the shell. Part of the contract: values never change. */
export const ExitCode = {
  /** Everything landed. */
  ok: 0,
  /** Some task failed or is blocked. */
  failed: 1,
  /** Wrong usage or an invalid plan; nothing was started. */
  usage: 2,
  /** Stopped early, or waiting for a person. */
  stopped: 3,
  /** Another run holds this workspace. */
  busy: 4,
  /** Ended after SIGINT. */
  interrupted: 130,
  /** Ended after SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * The exit code of a run that ended by itself. A failure outweighs what waits for a person, except
 * when a person stopped the run; tasks blocked by a conflict or a cancellation count as waiting.
 */
export function exitCodeOf(result: RunResult): ExitCode {
  const execution = result.parallel_execution;
  const statuses = Object.values(execution.results).map((entry) => entry.status);
  if (execution.status === 'stopped') return ExitCode.stopped;
  if (statuses.includes('failed')) return ExitCode.failed;
  if (statuses.includes('conflicted') || statuses.includes('cancelled')) return ExitCode.stopped;
  if (statuses.includes('blocked')) return ExitCode.failed;
  if (statuses.includes('pending') || result.target.held !== null) return ExitCode.stopped;
  return ExitCode.ok;
}
