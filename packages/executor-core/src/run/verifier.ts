import { join } from 'node:path';
import pLimit from 'p-limit';
import { checkEnvironment } from '../isolate/git-env';
import type { WorktreePool } from '../isolate/worktree-pool';
import { setUpWorktree } from '../isolate/worktree-setup';
import type { Failure } from '../model/failure';
import type { RunId } from '../model/ids';
import type { Plan } from '../model/task';
import { runPaths } from '../store/run-dir';
import { runChecks } from '../verify/run-checks';
import type { Engine } from './engine';

/** Checks merged commits in a worktree of its own. */
export interface Verifier {
  /** A failure is the plan's `verify` gone red. */
  check(commit: string, tree: string, base: string, signal?: AbortSignal): Promise<Failure | null>;
  /** Gives the verify worktree back; the next check makes a new one. */
  close(): Promise<void>;
}

/**
 * The plan's checks on merged trees, or `null` when the plan has none. One verify worktree is kept
 * and moved from commit to commit. A verdict belongs to a tree: the same tree is not checked twice.
 */
export function createVerifier(context: {
  readonly engine: Engine;
  readonly run: RunId;
  readonly plan: Plan;
  readonly pool: WorktreePool;
}): Verifier | null {
  const { engine, run, plan, pool } = context;
  const { settings } = plan;
  if (settings.verify.length === 0) return null;
  const verdicts = new Map<string, Failure | null>();
  const oneAtATime = pLimit(1);
  let worktree: string | null = null;
  const { tools, repository } = engine;
  const { fs, runner, clock } = tools;
  const logPath = join(runPaths(repository.root, run).dir, 'verify.log');
  const check: Verifier['check'] = async (commit, tree, base, signal) => {
    const known = verdicts.get(tree);
    if (known !== undefined) return known;
    const { path } = await pool.detached('verify-1', commit);
    const env = checkEnvironment(tools.env, base);
    if (worktree === null) {
      const unready = await setUpWorktree({
        ...tools, root: repository.root, worktree: path, setup: settings.setup, env, logPath,
      });
      if (unready !== null) return unready;
      worktree = path;
    }
    const verdict = await runChecks({
      runner, clock, fs, commands: settings.verify, cwd: path, env, logPath, timeoutMs: settings.timeoutMs, signal, where: 'merged',
    });
    // A check that was stopped says nothing about the tree.
    if (verdict?.kind !== 'interrupted') verdicts.set(tree, verdict);
    return verdict;
  };
  const close = async (): Promise<void> => {
    if (worktree !== null) await pool.remove(worktree);
    worktree = null;
  };
  return {
    check: (commit, tree, base, signal) => oneAtATime(() => check(commit, tree, base, signal)),
    close: () => oneAtATime(close),
  };
}
