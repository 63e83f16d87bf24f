import type { ExecutorContext } from '@nx/devkit';
import { inNxTaskTurn, landBundles, runPlanTask, redactSecrets } from '@parallel-executor/core';
import { toldParallel } from '../../nx-parallel';
import { FRESH_VARIABLE, runIdOf } from '../../nx-run';
import { readWorkspacePlan } from '../../read-plan';
import { abortOnStop } from './abort-on-stop';
import { eventLine } from './event-line';
import { isUpToDate, noteKey, resultKey } from './reuse';
import { upstreamTasks } from './upstream-tasks';

/** `task` of the plan to run, or `problem`: why the plan cannot be run. See schemas/agent.json. */
export interface AgentExecutorOptions {
  readonly task?: string;
  readonly problem?: string;
}

/** The run that all processes of one Nx command share. */
interface SharedRun {
  readonly cwd: string;
  readonly runId: string;
  readonly parallel: number | undefined;
}

/** Runs one task of the plan: lease, worktree, agent, checks, merge queue, landing, result bundle. */
export async function agentExecutor(
  options: AgentExecutorOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const { task, problem } = options;
  if (task === undefined) {
    console.error(problem ?? 'The executor needs the option "task".');
    return { success: false };
  }
  const { PARALLEL_TASK_ID: outer } = process.env;
  if (outer !== undefined) {
    console.error(`${task}: the agent of ${outer} may not start agents: it would wait for itself.`);
    return { success: false };
  }
  const stop = abortOnStop(process);
  try {
    const success = await produce(task, context, stop.signal);
    return { success: success && !stop.signal.aborted };
  } catch (error) {
    const why = stop.signal.aborted ? `${task}: stopped` : explain(error);
    console.error(redactSecrets(why, process.env));
    return { success: false };
  } finally {
    stop.dispose();
  }
}

async function produce(
  task: string,
  context: ExecutorContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { root } = context;
  const shared: SharedRun = {
    cwd: root,
    runId: runIdOf(process.env),
    parallel: toldParallel(process.env),
  };
  const upstream = upstreamTasks(context);
  // What came from the cache is restored but not landed yet, and this task builds upon it.
  const missing = await land(shared, upstream);
  if (missing.length > 0) {
    for (const line of missing) console.error(line);
    return false;
  }
  const onWaiting = (): void => {
    console.log(`${task}: waits for another nx command that runs it right now`);
  };
  return inNxTaskTurn({ cwd: root, task, signal, onWaiting }, () =>
    reuseOrRun(task, shared, upstream, signal),
  );
}

/** The result comes from its bundle when nothing it was made from has changed, else from the agent. */
async function reuseOrRun(
  task: string,
  shared: SharedRun,
  upstream: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const { cwd: root } = shared;
  const key = resultKey(root, readWorkspacePlan(root).keyOf(task), upstream);
  const reusable = process.env[FRESH_VARIABLE] !== 'true' && isUpToDate(root, task, key);
  if (reusable && (await land(shared, [task])).length === 0) {
    console.log(`${task}: nothing it depends on has changed; landed without running the agent`);
    return true;
  }
  const result = await runPlanTask({
    ...shared,
    task,
    signal,
    onEvent(event) {
      const line = eventLine(event, task);
      if (line !== null) console.log(line);
    },
  });
  if (result.success) noteKey(root, task, key);
  if (result.reason !== null) console.error(`${task}: ${result.reason}`);
  return result.success;
}

/** Lands result bundles; returns a line for each that did not land. */
async function land(shared: SharedRun, tasks: readonly string[]): Promise<readonly string[]> {
  if (tasks.length === 0) return [];
  const { failed } = await landBundles({ ...shared, tasks });
  return failed.map(({ task, reason }) => `${task} did not land: ${reason}`);
}

/** A situation the user can mend is told without a stack trace. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name !== 'UserError') return error.stack ?? error.message;
  const fix = 'fix' in error && typeof error.fix === 'string' ? `\n${error.fix}` : '';
  return error.message + fix;
}
