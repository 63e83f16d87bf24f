import type { RunReader } from '@parallel-executor/core';
import { viewOf } from '@parallel-executor/core';
import type { Context } from '../context';
import { requireReader } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { statusAnswer } from '../status-answer';
import { watchStatus } from '../watch-status';
import { attentionText } from '../ui/attention-text';
import { frame } from '../ui/frame';

export interface StatusOptions {
  readonly watch?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `status`: the panel of a run, and who needs a person. */
export async function execute(
  context: Context,
  runId: string | undefined,
  options: StatusOptions,
): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const reader = await requireReader(workspace, runId);
  if (options.watch === true) return watchStatus(context, reader, options.json === true);
  await printOnce(context, reader, options.json === true);
  return Exit.ok;
}

async function printOnce(context: Context, reader: RunReader, json: boolean): Promise<void> {
  const view = viewOf(reader.plan, await reader.events(), (await reader.durations()).estimate);
  for (const problem of await reader.problems()) context.narrate(problem);
  const now = context.deps.now();
  const alive = view.outcome !== null || (await reader.ownerAlive());
  if (json) {
    context.answerJson(statusAnswer(reader.plan, view, now, alive));
    return;
  }
  const caps = context.stdoutCapabilities();
  // Printed once, it may scroll: only a painted frame is bound to the terminal's height.
  const panel = frame(view, { ...caps, rows: Number.POSITIVE_INFINITY }, now);
  context.answer([...panel, ...attentionText(reader.plan, view, alive, caps)]);
}
