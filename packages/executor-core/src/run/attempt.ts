import type { Candidate, Fact } from '../model/event';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import { checkWriteSet } from '../verify/write-set-check';
import { runChecks } from '../verify/run-checks';
import type { AttemptContext, AttemptScene, StartCommand } from './attempt-context';
import { attemptEnvironment, writeAgentFiles } from './attempt-files';
import { produceCandidate } from './candidate-step';
import { runAgent } from './run-agent';
import { StopOrder } from './stop-order';

/** Runs attempts: worktree, agent, checks, candidate. Reports through facts; never rejects. */
export interface AttemptRunner {
  start(command: StartCommand): Promise<void>;
  /** Ends a running attempt; `interrupt` gives it time to end by itself. */
  stop(task: TaskId, how: 'interrupt' | 'kill'): void;
  /** Ends all of them at once. */
  killAll(): void;
}

/** What failed, together with where its work is kept. */
interface Failed {
  readonly failure: Failure;
  readonly salvage: string | null;
}

export function createAttemptRunner(context: AttemptContext): AttemptRunner {
  const orders = new Map<TaskId, StopOrder>();
  return {
    async start(command) {
      const order = new StopOrder();
      orders.set(command.task, order);
      try {
        await runAttempt(context, command, order);
      } finally {
        if (orders.get(command.task) === order) orders.delete(command.task);
      }
    },
    stop: (task, how) => orders.get(task)?.give(how),
    killAll: () => {
      for (const order of orders.values()) order.give('kill');
    },
  };
}

async function runAttempt(
  context: AttemptContext,
  command: StartCommand,
  order: StopOrder,
): Promise<void> {
  const { task: id, attempt } = command;
  const task = context.taskOf(id);
  const emit = (fact: Fact): Promise<void> => context.emit(fact);
  const at = (): number => context.clock.now();
  let failed: Failed;
  try {
    const result = await attemptInWorktree(context, task, command, order);
    if ('candidate' in result) {
      await emit({ type: 'task:queued', task: id, attempt, candidate: result.candidate, at: at() });
      return;
    }
    failed = result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    failed = { failure: { kind: 'agent-error', message }, salvage: null };
  }
  const failure: Failure =
    order.how === null
      ? failed.failure
      : { kind: 'interrupted', message: 'stopped before it ended' };
  await emit({
    type: 'attempt:failed',
    task: id,
    attempt,
    failure,
    salvage: failed.salvage,
    at: at(),
  });
}

type AttemptResult = Failed | { readonly candidate: Candidate };

async function attemptInWorktree(
  context: AttemptContext,
  task: Task,
  command: StartCommand,
  order: StopOrder,
): Promise<AttemptResult> {
  const base = await context.integrationTip();
  const worktree = await context.pool.create({
    slot: command.slot,
    task: task.id,
    commit: base,
    token: command.token,
  });
  const profile = context.profileOf(task);
  const { attempt, slot } = command;
  await context.emit({
    type: 'task:started',
    task: task.id,
    attempt,
    slot,
    base,
    ...named(worktree),
    profile: profile.name,
    at: context.clock.now(),
  });
  let failure: Failure;
  let kept: string | null = null;
  try {
    const outcome = await workAndCheck(
      context,
      { task, profile, command, base, worktree: worktree.path, branch: worktree.branch },
      order,
    );
    if ('candidate' in outcome) {
      await context.pool.remove(worktree.path, [], outcome.candidate);
      return outcome;
    }
    ({ failure, kept } = outcome);
  } catch (error) {
    failure = {
      kind: 'agent-error',
      message: error instanceof Error ? error.message : String(error),
    };
  }
  const release = await context.pool.remove(worktree.path);
  return { failure, salvage: (release.kind === 'removed' ? release.saved : null) ?? kept };
}

function named(worktree: { readonly path: string; readonly branch: string }): {
  branch: string;
  worktree: string;
} {
  return { branch: worktree.branch, worktree: worktree.path };
}

async function workAndCheck(
  context: AttemptContext,
  scene: AttemptScene,
  order: StopOrder,
): Promise<
  { readonly failure: Failure; readonly kept: string | null } | { readonly candidate: Candidate }
> {
  const { task, command, worktree } = scene;
  const paths = context.paths.task(task.id).attempt(command.attempt);
  const files = await writeAgentFiles(context, scene);
  const env = attemptEnvironment(context, scene, files);
  const unready = await context.setUp(worktree, env, paths.checkLog);
  if (unready !== null) return { failure: unready, kept: null };
  const failure = await runAgent(context, scene, order, files, env);
  if (failure !== null) return { failure, kept: null };
  await context.emit({
    type: 'task:verifying',
    task: task.id,
    attempt: command.attempt,
    at: context.clock.now(),
  });
  const result = await produceCandidate(context, scene);
  if ('failure' in result) return { failure: result.failure, kept: null };
  const kept = result.candidate.noop ? null : result.candidate.ref;
  // The lease has what the plan gave and what was granted while the agent worked.
  const allowed = (await context.leases.writesOf(command.token)) ?? task.access.writes;
  const written = checkWriteSet(result.paths, { writes: allowed });
  if (!written.ok) {
    return { failure: { kind: 'lock-violation', paths: written.outside, allowed }, kept };
  }
  const red = await runChecks({
    runner: context.runner,
    clock: context.clock,
    fs: context.fs,
    commands: task.verify,
    cwd: worktree,
    env: context.checkEnvironment(scene.base),
    logPath: paths.checkLog,
    timeoutMs: task.timeoutMs,
    signal: order.signal,
    where: 'worktree',
  });
  if (red !== null) return { failure: red, kept };
  if (!(await context.leases.isCurrent(command.token))) {
    return { failure: { kind: 'lost-lease', token: command.token }, kept };
  }
  await context.saveBundle(scene, result.candidate);
  return result;
}
