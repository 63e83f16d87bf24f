import type { Failure } from '../model/failure';
import type { RunningProcess } from '../ports/process-runner';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { GentleStop } from './shutdown';
import { stopGently } from './shutdown';
import type { StopOrder } from './stop-order';
import { freezing } from './suspension';

/** Makes the worktree ready; the set-up command that runs stands still, or ends, with the attempt. */
export async function prepareWorktree(
  context: AttemptContext,
  { task, command, worktree }: AttemptScene,
  env: Readonly<Record<string, string>>,
  order: StopOrder,
): Promise<Failure | null> {
  const { checkLog } = context.paths.task(task.id).attempt(command.attempt);
  let running: GentleStop | null = null;
  const unlisten = order.listen(() => {
    if (order.how !== null) running?.stop(order.how);
  });
  try {
    return await context.setUp(worktree, env, checkLog, (process) => {
      running?.done();
      freezing(process, order);
      running = stopGently(context.clock, { stop: signaller(process) }, context.graceMs);
      if (order.how !== null) running.stop(order.how);
    });
  } finally {
    unlisten();
    (running as GentleStop | null)?.done();
  }
}

function signaller(process: RunningProcess): (how: 'interrupt' | 'terminate' | 'kill') => void {
  const signals = { interrupt: 'SIGINT', terminate: 'SIGTERM', kill: 'SIGKILL' } as const;
  return (how) => {
    process.signal(signals[how]);
  };
}
