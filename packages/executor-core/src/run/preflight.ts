import type { Plan } from '../model/task';
import { checkSigning } from './check-signing';
import { checkSandbox } from './confine';
import type { Engine } from './engine';
import { checkWorktrees } from './worktree-ways';

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
