import { relative } from 'node:path';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';

/** `init`: writes an example plan unless there is one. */
export async function execute(context: Context): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const { path, created } = await workspace.initPlan();
  const shown = relative(context.cwd, path) || path;
  context.answer(created ? `Created ${shown}` : `${shown} exists already; it was left as it is.`);
  context.narrate(
    'Next: edit the tasks, look at the order with "parallel-cli plan", then "parallel-cli run".',
  );
  return Exit.ok;
}
