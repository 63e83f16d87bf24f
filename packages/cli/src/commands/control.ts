import type { ControlRequest } from '@parallel-executor/core';
import { requestText } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { NOT_DELIVERED } from '../messages';
import { UsageError } from '../usage-error';

export interface ControlOptions {
  readonly json?: boolean | undefined;
}

/** `pause`: nothing new starts until `resume`; running agents finish, or stand still (`--suspend`). */
export async function pause(
  context: Context,
  run: string | undefined,
  options: ControlOptions & { readonly suspend?: boolean | undefined },
): Promise<ExitCode> {
  const suspend = options.suspend === true;
  return ask(context, suspend ? { kind: 'pause', suspend } : { kind: 'pause' }, run, options);
}

/** `agents`: changes how many may run at once. */
export async function agents(
  context: Context,
  maxAgents: number,
  run: string | undefined,
  options: ControlOptions,
): Promise<ExitCode> {
  return ask(context, { kind: 'agents', maxAgents }, run, options);
}

/** `kill`: ends one agent (by slot or task), or all of them. */
export async function kill(
  context: Context,
  target: string | undefined,
  options: ControlOptions & {
    readonly all?: boolean | undefined;
    readonly run?: string | undefined;
  },
): Promise<ExitCode> {
  const all = options.all === true;
  if (all === (target !== undefined)) {
    throw new UsageError(
      all ? 'Give a target or --all, not both.' : 'Whom? Give an agent, a task, or --all.',
      'For example: parallel-cli kill agent-3',
    );
  }
  return ask(context, { kind: 'kill', target: target ?? 'all' }, options.run, options);
}

/** A request nobody will take is no success: the run is over, or its process is gone. */
async function ask(
  context: Context,
  request: ControlRequest,
  run: string | undefined,
  options: ControlOptions,
): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const { runId, delivered, kept, reason } = await workspace.request(request, run);
  if (options.json === true) {
    context.answerJson({ schemaVersion: 1, run: runId, request, delivered, kept, reason });
  } else if (delivered) {
    context.answer(`Asked ${runId}: ${requestText(request)}.`);
  } else if (kept) {
    context.answer(`Noted for ${runId}: ${requestText(request)}; ${reason ?? ''}.`);
  } else {
    context.narrate(`${NOT_DELIVERED}: ${reason ?? 'no run is active'}.`);
  }
  return delivered || kept ? Exit.ok : Exit.failed;
}
