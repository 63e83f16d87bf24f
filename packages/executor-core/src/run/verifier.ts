import { join } from 'node:path';
import pLimit from 'p-limit';
import { checkEnvironment } from '../isolate/git-env';
import type { WorktreePool } from '../isolate/worktree-pool';
import { setUpWorktree } from '../isolate/worktree-setup';
import type { Failure } from '../model/failure';
import type { RunId } from '../model/ids';
import { withSecretNames } from '../model/secret-values';
import type { Plan } from '../model/task';
import type { RunningProcess } from '../ports/process-runner';
import { runPaths } from '../store/run-dir';
import { runChecks } from '../verify/run-checks';
import type { Engine } from './engine';

export interface VerifierContext {
  readonly engine: Engine;
  readonly run: RunId;
  readonly plan: Plan;
  readonly pool: WorktreePool;
  /** Time between SIGTERM and SIGKILL when checks must be stopped. */
  readonly graceMs: number;
}

/** The plan's checks on merged trees, or `null` when the plan has none. */
export function createVerifier(context: VerifierContext): Verifier | null {
  return context.plan.settings.verify.length === 0 ? null : new Verifier(context);
}

/**
 * Checks merged commits in one worktree that is moved from commit to commit. A verdict belongs to a
 * tree: the same tree is not checked twice.
 */
export class Verifier {
  private readonly verdicts = new Map<string, Failure | null>();
  private readonly oneAtATime = pLimit(1);
  private worktree: string | null = null;

  constructor(private readonly context: VerifierContext) {}

  /** A failure is the plan's `verify` gone red. Bound, because it is handed on as a function. */
  readonly check = (
    commit: string,
    tree: string,
    base: string,
    signal?: AbortSignal,
  ): Promise<Failure | null> =>
    this.oneAtATime(async () => {
      const known = this.verdicts.get(tree);
      if (known !== undefined) return known;
      const verdict = await this.judge(commit, base, signal);
      // A check that was stopped says nothing about the tree.
      if (verdict?.kind !== 'interrupted') this.verdicts.set(tree, verdict);
      return verdict;
    });

  /** Gives the verify worktree back; the next check makes a new one. */
  close(): Promise<void> {
    return this.oneAtATime(async () => {
      if (this.worktree !== null) await this.context.pool.remove(this.worktree);
      this.worktree = null;
    });
  }

  private async judge(commit: string, base: string, signal?: AbortSignal): Promise<Failure | null> {
    const { engine, run, plan, pool, graceMs } = this.context;
    const { tools, repository } = engine;
    const { verify: commands, setup, timeoutMs } = plan.settings;
    const logPath = join(runPaths(repository.root, run).dir, 'verify.log');
    const { path } = await pool.detached('verify-1', commit);
    const env = withSecretNames(checkEnvironment(tools.env, base), plan.settings.secrets);
    if (this.worktree === null) {
      const onProcess = (process: RunningProcess): void => {
        endOnAbort(process, signal);
      };
      const at = { root: repository.root, worktree: path };
      const request = { ...tools, ...at, setup, env, logPath, onProcess };
      const unready = await setUpWorktree(request);
      if (unready !== null) return unready;
      this.worktree = path;
    }
    const where = 'merged' as const;
    const limits = { timeoutMs, signal, graceMs };
    return runChecks({ ...tools, commands, cwd: path, env, logPath, ...limits, where });
  }
}

function endOnAbort(process: RunningProcess, signal?: AbortSignal): void {
  const end = (): void => {
    process.signal('SIGKILL');
  };
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  void process.exited.then(() => signal?.removeEventListener('abort', end));
}
