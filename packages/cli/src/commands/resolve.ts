import type { ResolveResult } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { resolveText } from '../ui/resolve-text';
import { UsageError } from '../usage-error';
import type { ResumeOptions } from './resume';
import { followUp } from './resume';

export interface ResolveOptions extends ResumeOptions {
  readonly continue?: boolean | undefined;
  readonly abort?: boolean | undefined;
  readonly run?: string | undefined;
}

/** `resolve`: a person settles the conflict of a task; exit code 3 while it waits for that. */
export async function execute(
  context: Context,
  task: string,
  options: ResolveOptions,
): Promise<ExitCode> {
  if (options.continue === true && options.abort === true)
    throw new UsageError(
      'Give --continue or --abort, not both.',
      'For example: parallel-cli resolve api_routes --continue',
    );
  const step = options.continue === true ? 'continue' : options.abort === true ? 'abort' : 'open';
  const workspace = await context.openWorkspace();
  const result = await workspace.resolve(task, step, options.run);
  if (result.kind === 'resolved')
    return followUp(context, workspace, result.next, options, {
      key: 'resolved',
      signalled: `lands ${task}`,
      nothing: 'Nothing to land',
    });
  if (options.json === true) context.answerJson(resolveJson(task, result));
  else context.answer(resolveText(task, result));
  return Exit.stopped;
}

/** What `--json` prints of a conflict that is not settled. Keys change by addition only. */
function resolveJson(task: string, result: Exclude<ResolveResult, { kind: 'resolved' }>): object {
  const head = { schemaVersion: 1, run: result.runId, task, state: result.kind };
  if (result.kind === 'aborted') return { ...head, saved: result.saved };
  const { path, isNew, paths, left } = result;
  return { ...head, path, created: isNew, files: paths, unresolved: left };
}
