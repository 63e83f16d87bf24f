import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { checkEnvironment } from '../isolate/git-env';
import type { WorktreePool } from '../isolate/worktree-pool';
import { setUpWorktree } from '../isolate/worktree-setup';
import type { VerifyHow, VerifyTree } from '../merge/remember-verdicts';
import { rememberVerdicts } from '../merge/remember-verdicts';
import { changedPaths } from '../merge/trees';
import type { Failure } from '../model/failure';
import type { RunId } from '../model/ids';
import { withSecretNames } from '../model/secret-values';
import type { Plan } from '../model/task';
import type { RunningProcess } from '../ports/process-runner';
import type { PortRange } from '../ports/tcp-ports';
import { runPaths } from '../store/run-dir';
import { runChecks } from '../verify/run-checks';
import type { Engine } from './engine';
import { leasePorts } from './leased-ports';
import { hasNx } from './project-graph';

export interface VerifierContext {
  readonly engine: Engine;
  readonly run: RunId;
  readonly plan: Plan;
  /** See `checksOf`. */
  readonly checks: readonly string[];
  readonly pool: WorktreePool;
  /** Time between SIGTERM and SIGKILL when checks must be stopped. */
  readonly graceMs: number;
}

/** Ids of a merged commit, of its tree, and of the commit it would land on. */
interface Merged {
  readonly commit: string;
  readonly tree: string;
  readonly base: string;
}

/** The plan's checks on merged trees, or `null` when there are none. */
export function createVerifier(context: VerifierContext): Verifier | null {
  return context.checks.length === 0 ? null : new Verifier(context);
}

/** What is checked in an Nx workspace whose plan does not say what. */
export const NX_CHECKS = ['npx nx affected -t lint test build --base=$PARALLEL_BASE'];

/**
 * The commands that must pass on a merged tree: the plan's. Where it does not name any (an empty list
 * does: none), those of the affected projects, in an Nx workspace whose worktrees get their Nx.
 */
export async function checksOf(engine: Engine, { settings }: Plan): Promise<readonly string[]> {
  const { verify, verifyByDefault, setup } = settings;
  if (verify.length > 0 || verifyByDefault !== true) return verify;
  const installed =
    setup.run.length > 0 || setup.link.some((path) => /^node_modules\/?$/.test(path));
  return installed && (await hasNx(engine)) ? NX_CHECKS : [];
}

/**
 * Checks merged commits, each slot in a worktree of its own that is moved from commit to commit. A
 * verdict belongs to a tree: the same tree is not checked twice.
 */
export class Verifier {
  /** Worktrees that are set up, by slot, and the tree they were set up for. */
  private readonly ready = new Map<number, { readonly path: string; readonly tree: string }>();
  private readonly inSlot = new Map<number, pLimit.Limit>();

  constructor(private readonly context: VerifierContext) {}

  /** A failure is the plan's `verify` gone red. Bound, because it is handed on as a function. */
  readonly check: VerifyTree = rememberVerdicts((commit, tree, base, how = { slot: 1 }) =>
    this.oneAtATime(how.slot)(() => this.judge({ commit, tree, base }, how)),
  );

  /** Gives the verify worktrees back; the next check makes a new one. */
  async close(): Promise<void> {
    for (const slot of [...this.ready.keys()]) await this.oneAtATime(slot)(() => this.leave(slot));
  }

  private oneAtATime(slot: number): pLimit.Limit {
    const limit = this.inSlot.get(slot) ?? pLimit(1);
    this.inSlot.set(slot, limit);
    return limit;
  }

  private async leave(slot: number): Promise<void> {
    const ready = this.ready.get(slot);
    this.ready.delete(slot);
    if (ready !== undefined) await this.context.pool.remove(ready.path);
  }

  private async judge(what: Merged, how: VerifyHow): Promise<Failure | null> {
    const { engine, plan } = this.context;
    const leased = await leasePorts(engine.tools.tcpPorts, plan.settings.setup);
    if (leased.failure !== null) return leased.failure;
    try {
      return await this.judgeWith(leased.ports, what, how);
    } finally {
      leased.ports?.release();
    }
  }

  private async judgeWith(
    ports: PortRange | null,
    { commit, tree, base }: Merged,
    { slot, signal }: VerifyHow,
  ): Promise<Failure | null> {
    // Stopped while it waited: nobody wants the worktree moved any more.
    if (signal?.aborted === true) return { kind: 'interrupted', message: 'the check was stopped' };
    const { engine, run, plan, checks: commands, pool, graceMs } = this.context;
    const { tools, repository } = engine;
    const { setup, timeoutMs } = plan.settings;
    const logPath = join(runPaths(repository.root, run).dir, logName(slot));
    const { path } = await pool.detached(`verify-${slot}`, commit);
    const env = withSecretNames(checkEnvironment(tools.env, base, ports), plan.settings.secrets);
    if (!(await this.isReadyFor(slot, tree))) {
      const onProcess = (process: RunningProcess): void => {
        endOnAbort(process, signal);
      };
      const at = { root: repository.root, worktree: path };
      const request = { ...tools, ...at, setup, env, logPath, onProcess };
      const unready = await setUpWorktree(request);
      if (unready !== null) return unready;
      this.ready.set(slot, { path, tree });
    }
    const where = 'merged' as const;
    const limits = { timeoutMs, signal, graceMs };
    return runChecks({ ...tools, commands, cwd: path, env, logPath, ...limits, where });
  }

  /** What is installed fits the manifests of `tree`. */
  private async isReadyFor(slot: number, tree: string): Promise<boolean> {
    const ready = this.ready.get(slot);
    if (ready === undefined || ready.tree === tree) return ready !== undefined;
    const { tools, repository } = this.context.engine;
    const changes = await changedPaths(tools.git.objects(repository.root), ready.tree, tree);
    return !changes.some(({ path: changed }) => MANIFEST.test(changed));
  }
}

/** Files that say what is to be installed. */
const MANIFEST =
  /(?:^|\/)(?:package\.json|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|\.npmrc|\.yarnrc\.yml)$/;

/** Trees checked at once. Checks use several cores themselves, but they also wait: two at once pay anywhere. */
export function slotsOf({ settings }: Plan): number {
  return settings.verifySlots ?? Math.min(4, Math.max(2, Math.ceil(availableParallelism() / 2)));
}

/** One log per slot, so that two checks at once can be told apart. */
function logName(slot: number): string {
  return slot === 1 ? 'verify.log' : `verify-${slot}.log`;
}

function endOnAbort(process: RunningProcess, signal?: AbortSignal): void {
  const end = (): void => {
    process.signal('SIGKILL');
  };
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  void process.exited.then(() => signal?.removeEventListener('abort', end));
}
