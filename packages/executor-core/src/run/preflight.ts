import { signsCommits } from '../merge/commit';
import type { Plan } from '../model/task';
import { checkSigning } from './check-signing';
import { checkSandbox } from './confine';
import type { Engine } from './engine';
import type { Toolbox } from './toolbox';
import { checkWorktrees } from './worktree-ways';

/**
 * Asks for what a run will want to know first, while the checkout is opened for it: each answer takes a
 * program's time, and one after the other they would keep the first agent waiting.
 */
export function askAhead({ runner, git }: Toolbox, root: string): void {
  void runner.prepare();
  signsCommits(git, root).catch(() => undefined);
}

/**
 * What can be known before anything is made, also where only cached work lands: the sandbox, the signing
 * key and the kind of worktrees that the plan asks for are there, and the disk has room for them. Rejects
 * with `UserError`; nothing on disk has changed.
 */
export async function preflight(engine: Engine, plan: Plan): Promise<void> {
  const checks = [
    checkSandbox(engine.tools, plan),
    checkSigning(engine, plan),
    checkWorktrees(engine, plan),
  ];
  await Promise.allSettled(checks);
  await Promise.all(checks);
}
