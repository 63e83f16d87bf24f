import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { UsageError } from '../usage-error';
import type { ResumeOptions } from './resume';
import { followUp } from './resume';

export interface RetryOptions extends ResumeOptions {
  readonly all?: boolean | undefined;
}

/** `retry`: has tasks that did not land tried again, in the live run or by continuing it here. */
export async function execute(
  context: Context,
  names: readonly string[],
  { all = false, ...options }: RetryOptions,
): Promise<ExitCode> {
  const [task, run] = all ? [undefined, ...names] : names;
  if ((task === undefined) !== all || names.length > (all ? 1 : 2)) {
    throw new UsageError(
      all ? 'With --all, give at most a run.' : 'Which task? Give one, or --all.',
      'For example: parallel-cli retry api_routes',
    );
  }
  const workspace = await context.openWorkspace();
  const resumed = await workspace.retry(task ?? 'all', run);
  return followUp(context, workspace, resumed, options, {
    key: 'retried',
    signalled: `tries ${task ?? 'what did not land'} again`,
    nothing: 'Nothing to retry',
  });
}
