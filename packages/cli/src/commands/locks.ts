import type { HeldLock, LocksView, WaitingForLocks } from '@parallel-executor/core';
import { listText } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { locksText } from '../ui/locks-text';

export interface LocksOptions {
  readonly json?: boolean | undefined;
}

/** `locks`: who holds what, and who waits for whom. */
export async function execute(context: Context, options: LocksOptions): Promise<ExitCode> {
  const view = await (await context.openWorkspace()).locks();
  if (options.json === true) context.answerJson(locksJson(view));
  else context.answer(locksText(view, context.deps.now()));
  return Exit.ok;
}

/** `locks request`: called by an agent that has to write more than its plan gave it. */
export async function request(
  context: Context,
  globs: readonly string[],
  options: LocksOptions,
): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const { granted, task, holders } = await workspace.requestWrites(globs);
  if (options.json === true) {
    context.answerJson({ schemaVersion: 1, task, writes: globs, granted, holders });
  } else if (granted) {
    context.answer(`Granted: ${task} may now write ${globs.join(', ')}.`);
  } else {
    context.narrate(`Not granted: ${globs.join(', ')} is held by ${listText(holders)}.`);
  }
  return granted ? Exit.ok : Exit.stopped;
}

/** What `--json` prints. Keys change by addition only; instants are ISO 8601. */
function locksJson({ held, waiting }: LocksView): object {
  return {
    schemaVersion: 1,
    held: held.map((lock) => ({ ...shown(lock), agent: lock.agent, token: lock.token })),
    waiting: waiting.map((wait) => ({ ...shown(wait), waiting_for: wait.waitingFor })),
  };
}

function shown(one: HeldLock | WaitingForLocks): object {
  const { task, run, priority, reads, writes, resources, alive, owner } = one;
  const since = new Date(one.since).toISOString();
  const { pid, host } = owner;
  return { task, run, priority, reads, writes, resources, since, owner: { pid, host }, alive };
}
