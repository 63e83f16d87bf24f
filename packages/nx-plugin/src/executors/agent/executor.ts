import type { ExecutorContext } from '@nx/devkit';
import { inNxTaskTurn, runPlanTask } from '@parallel-executor/core';
import { FRESH_VARIABLE } from '../../nx-run';
import { readWorkspacePlan } from '../../read-plan';
import { abortOnStop } from './abort-on-stop';
import { eventLine } from './event-line';
import { isUpToDate, noteKey, resultKey } from './reuse';
import type { SharedRun } from './shared-run';
import { explain, land, nested, reusedLine, sharedRun, waitingLine } from './shared-run';
import { nxTaskOf, upstreamTasks } from './upstream-tasks';

/** `task` of the plan to run, or `problem`: why the plan cannot be run. See schemas/agent.json. */
export interface AgentExecutorOptions {
  readonly task?: string;
  readonly problem?: string;
}

/** Why there is nothing to run. */
export function refusal({ problem }: AgentExecutorOptions): string {
  return problem ?? 'The executor needs the option "task".';
}

/** Runs one task of the plan: lease, worktree, agent, checks, merge queue, landing, result bundle. */
export async function agentExecutor(
  options: AgentExecutorOptions,
  context: ExecutorContext,
): Promise<{ success: boolean }> {
  const { task } = options;
  const why = task === undefined ? refusal(options) : nested(task);
  if (task === undefined || why !== null) {
    console.error(why);
    return { success: false };
  }
  const stop = abortOnStop(process);
  try {
    const success = await produce(task, context, stop.signal);
    return { success: success && !stop.signal.aborted };
  } catch (error) {
    console.error(stop.signal.aborted ? `${task}: stopped` : explain(error));
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
  const { root: cwd, taskGraph } = context;
  const shared = sharedRun(cwd);
  const nxTask = nxTaskOf(context);
  const upstream =
    taskGraph === undefined || nxTask === null ? [] : upstreamTasks(taskGraph, nxTask);
  // What came from the cache is restored but not landed yet, and this task builds upon it.
  const missing = await land(shared, upstream);
  if (missing.size > 0) {
    for (const line of missing.values()) console.error(line);
    return false;
  }
  const onWaiting = (): void => {
    console.log(waitingLine(task));
  };
  return inNxTaskTurn({ cwd, tasks: [task], signal, onWaiting }, () =>
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
  if (reusable && (await land(shared, [task])).size === 0) {
    console.log(reusedLine(task));
    return true;
  }
  const result = await runPlanTask({
    ...shared,
    task,
    signal,
    onEvent(event) {
      // Its bundle is there from now on: whoever comes after a crash lands that.
      if (event.type === 'task:queued' && event.task === task) noteKey(root, task, key);
      const line = eventLine(event, task);
      if (line !== null) console.log(line);
    },
  });
  if (result.reason !== null) console.error(`${task}: ${result.reason}`);
  return result.success;
}
