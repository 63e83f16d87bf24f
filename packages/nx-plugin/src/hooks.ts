import type { PostTasksExecutionContext, PreTasksExecutionContext } from '@nx/devkit';
import { finishNxRun, landBundles } from '@parallel-executor/core';
import { taskOfTarget } from './agent-targets';
import { nxError } from './nx-error';
import {
  asksForAgents,
  nxParallel,
  PARALLEL_VARIABLE,
  parallelWarning,
  toldParallel,
} from './nx-parallel';
import { FRESH_VARIABLE, newRunId, RUN_VARIABLE, skipsCache } from './nx-run';
import { planAt } from './read-plan';

const FROM_CACHE: ReadonlySet<string> = new Set([
  'local-cache',
  'local-cache-kept-existing',
  'remote-cache',
]);

/** Runs by the id Nx gives a command: one daemon may serve several commands at once. */
const runs = new Map<string, string>();

/** Gives all agent tasks of one Nx command one run. */
export function preTasksExecution(_options: unknown, context: PreTasksExecutionContext): void {
  const run = newRunId();
  runs.set(context.id, run);
  process.env[RUN_VARIABLE] = run;
  process.env[FRESH_VARIABLE] = String(skipsCache(context.argv, process.env));
  const parallel = nxParallel(context.argv, process.env, context.nxJsonConfiguration);
  process.env[PARALLEL_VARIABLE] = String(parallel);
  if (process.env['PARALLEL_TASK_ID'] !== undefined || !asksForAgents(context.argv)) return;
  const plan = planAt(context.workspaceRoot);
  const warning = plan === null ? null : parallelWarning(plan, parallel);
  if (warning !== null) console.warn(warning);
}

/**
 * Lands the work of tasks that came from the cache: Nx restored their result bundles, no executor ran.
 * Rejects, which makes the Nx command fail, when one of them could not be landed.
 */
export async function postTasksExecution(
  _options: unknown,
  context: PostTasksExecutionContext,
): Promise<void> {
  const runId = runs.get(context.id) ?? newRunId();
  runs.delete(context.id);
  // An agent may use Nx itself; its commands end no run of ours.
  if (process.env['PARALLEL_TASK_ID'] !== undefined) return;
  const results = Object.values(context.taskResults);
  if (!results.some(({ task }) => hasBundle(task.outputs))) return;
  const tasks = cachedAgentTasks(context.taskResults);
  const at = { cwd: context.workspaceRoot, runId, parallel: toldParallel(process.env) };
  const { landed, failed } = await landBundles({ ...at, tasks });
  const result = await finishNxRun(at);
  for (const task of landed) console.log(`${task}: landed from the cache`);
  for (const { branch, url, reason } of result?.landing.pull_requests ?? [])
    console.log(
      url === null ? `No pull request: ${reason ?? ''}` : `Pull request for ${branch}: ${url}`,
    );
  if (failed.length === 0) return;
  const lines = failed.map(({ task, reason }) => `${task}: ${reason}`);
  throw nxError('Cached agent work did not land.', ...lines);
}

/** Tasks of the plan whose target was a cache hit, in the order Nx finished them. */
export function cachedAgentTasks(
  results: PostTasksExecutionContext['taskResults'],
): readonly string[] {
  return Object.values(results)
    .filter(({ status, task }) => FROM_CACHE.has(status) && hasBundle(task.outputs))
    .map(({ task }) => taskOfTarget(task.target.target))
    .filter((task) => task !== null);
}

/** Tells our targets from a foreign one that is also called `agent-…`. */
function hasBundle(outputs: readonly string[]): boolean {
  return outputs.some((output) => output.startsWith('.parallel/out/'));
}
