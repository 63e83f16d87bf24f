import { failureStory, viewOf, whyWaiting } from '@parallel-executor/core';
import type { Context } from '../context';
import { requireReader } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { requireTask } from '../require-task';
import { plainText } from '../ui/text-width';

export interface ExplainOptions {
  readonly run?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `explain`: how a task stands and why, and what became of each of its attempts that failed. */
export async function execute(
  context: Context,
  name: string,
  options: ExplainOptions,
): Promise<ExitCode> {
  const reader = await requireReader(await context.openWorkspace(), options.run);
  const task = requireTask(reader, name);
  const view = viewOf(reader.plan, await reader.events(), (await reader.durations()).estimate);
  const why = whyWaiting(reader.plan, view, task);
  const story = failureStory(view, task);
  if (options.json === true) {
    const state = view.tasks.get(task)?.state ?? 'pending';
    context.answerJson({ schemaVersion: 1, run: view.id, task, state, why, story });
  } else context.answer([plainText(why), ...story.map((line) => `  ${plainText(line)}`)]);
  return Exit.ok;
}
