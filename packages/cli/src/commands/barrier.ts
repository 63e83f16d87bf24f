import type { BarrierWait } from '@parallel-executor/core';
import { durationText, parseDuration } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { UsageError } from '../usage-error';

export interface BarrierOptions {
  readonly timeout?: string | undefined;
  readonly run?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `barrier wait`: until a phase has landed; the run goes on whatever becomes of the waiting. */
export async function wait(
  context: Context,
  barrier: string,
  { timeout, run, json }: BarrierOptions,
): Promise<ExitCode> {
  const timeoutMs = timeout === undefined ? undefined : requireDuration(timeout);
  const workspace = await context.openWorkspace();
  const abort = new AbortController();
  const leave = (): void => {
    abort.abort();
  };
  const stops = [
    context.deps.onSignal('SIGINT', leave),
    context.deps.onSignal('SIGTERM', leave),
    context.deps.onSignal('SIGHUP', leave),
  ];
  try {
    const { signal } = abort;
    const answer = await workspace.waitAtBarrier(barrier, { run, timeoutMs, signal });
    if (json === true) context.answerJson(toJson(answer));
    else if (answer.outcome === 'opened') context.answer(`${barrier} is open.`);
    else context.narrate(text(answer));
    return codeOf(answer);
  } finally {
    for (const stop of stops) stop();
  }
}

function requireDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw new UsageError(
    `${JSON.stringify(text)} is no duration.`,
    'Write 500ms, 30s, 5m or 2h: parallel-cli barrier wait phase_1 --timeout 120s',
  );
}

function codeOf({ outcome }: BarrierWait): ExitCode {
  switch (outcome) {
    case 'opened':
      return Exit.ok;
    case 'broken':
    case 'over':
    case 'gone':
      return Exit.failed;
    case 'timeout':
      return Exit.stopped;
    case 'left':
      return Exit.interrupted;
  }
}

function text({ barrier, outcome, reason, waitedMs }: BarrierWait): string {
  switch (outcome) {
    case 'timeout':
      return `${barrier} did not open within ${durationText(waitedMs)}; ${reason ?? ''}`;
    case 'broken':
      return `${barrier} can never open: ${reason ?? ''}`;
    case 'opened':
    case 'over':
    case 'gone':
    case 'left':
      return `${barrier} is not open: ${reason ?? ''}`;
  }
}

function toJson({ run, barrier, outcome, reason, open, waitedMs }: BarrierWait): object {
  const opened = outcome === 'opened';
  return { schemaVersion: 1, run, barrier, opened, outcome, reason, open, waited_ms: waitedMs };
}
