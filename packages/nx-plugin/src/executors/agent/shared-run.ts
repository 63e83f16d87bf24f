import { landBundles, redactSecrets } from '@parallel-executor/core';
import { toldParallel } from '../../nx-parallel';
import { runIdOf } from '../../nx-run';

/** The run that all processes of one Nx command share. */
export interface SharedRun {
  readonly cwd: string;
  readonly runId: string;
  readonly parallel: number | undefined;
}

/** The run this process belongs to. */
export function sharedRun(root: string): SharedRun {
  return { cwd: root, runId: runIdOf(process.env), parallel: toldParallel(process.env) };
}

/** Lands result bundles; by task that did not land a line that says why. */
export async function land(
  shared: SharedRun,
  tasks: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (tasks.length === 0) return new Map();
  const { failed } = await landBundles({ ...shared, tasks });
  return new Map(failed.map(({ task, reason }) => [task, `${task} did not land: ${reason}`]));
}

/** Why `task` may not start here; `null` when it may. */
export function nested(task: string): string | null {
  const { PARALLEL_TASK_ID: outer } = process.env;
  if (outer === undefined) return null;
  return `${task}: the agent of ${outer} may not start agents: it would wait for itself.`;
}

/** What is said of a result that needed no agent. */
export function reusedLine(task: string): string {
  return `${task}: nothing it depends on has changed; landed without running the agent`;
}

/** What is said of a task that another Nx command produces right now. */
export function waitingLine(task: string): string {
  return `${task}: waits for another nx command that runs it right now`;
}

/** What an error tells, without secrets. A situation the user can mend is told without a stack trace. */
export function explain(error: unknown): string {
  return redactSecrets(textOf(error), process.env);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name !== 'UserError') return error.stack ?? error.message;
  const fix = 'fix' in error && typeof error.fix === 'string' ? `\n${error.fix}` : '';
  return error.message + fix;
}
