import { join } from 'node:path';
import type { Fact, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { MutexTimeout } from '../ports/mutex';
import { stateOf } from '../schedule/run-state';
import type { RunParts } from './run-parts';
import type { Engine } from './engine';
import { checkAdapters } from './engine';
import { findTask, inSharedRun, requireRunId, verdictOf } from './shared-run';

/** Who waits longer than this is told. */
const GLANCE_MS = 500;
/** An agent may take hours, and waiting is no failure. */
const TURN_PATIENCE_MS = 24 * 60 * 60 * 1000;

/** A task of an Nx invocation. */
export interface NxTask {
  readonly task: string;
  /** Tasks of the same request that must have landed before it starts. */
  readonly after?: readonly string[];
}

/** What one process of an Nx invocation is to run. */
export interface NxTasksRequest {
  readonly tasks: readonly NxTask[];
  /** Run shared by all processes of the invocation, `PEXEC-<ms>`. */
  readonly runId: string;
  /** How many tasks Nx runs at once. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** How a task ended. */
export interface NxTaskOutcome {
  readonly task: TaskId;
  /** `skipped`: something it comes after did not land, so it never began. */
  readonly status: 'success' | 'failure' | 'skipped';
  /** Why it did not land, one line. */
  readonly reason: string | null;
}

/** One `agent` target of an Nx invocation. */
export type SingleTaskRequest = Omit<NxTasksRequest, 'tasks'> & Pick<NxTask, 'task'>;

export interface SingleTaskResult {
  readonly success: boolean;
  /** Why it did not land, one line. */
  readonly reason: string | null;
  readonly runId: RunId;
}

/** A process of an Nx command that is about to produce the results of tasks. */
export interface TaskTurn {
  readonly tasks: readonly string[];
  readonly signal?: AbortSignal;
  /** Another process, of another Nx command then, produces this one right now. */
  readonly onWaiting: (task: string) => void;
}

/**
 * Runs `body` while no other process of this checkout produces the result of one of these tasks: who
 * comes second finds the result of the first. Rejects with `MutexTimeout` when `signal` is aborted before.
 */
export async function inTaskTurn<T>(
  engine: Engine,
  turn: TaskTurn,
  body: () => Promise<T>,
): Promise<T> {
  await engine.tools.fs.makeDir(engine.state.locksDir);
  // Everybody takes them in one order, so that nobody waits in a circle.
  const [last, ...others] = [...new Set(turn.tasks)].sort().reverse();
  if (last === undefined) return body();
  const take = (task: string, inner: () => Promise<T>): Promise<T> =>
    takeTurn(engine, task, turn, inner);
  return others.reduce<() => Promise<T>>(
    (inner, task) => () => take(task, inner),
    () => take(last, body),
  )();
}

async function takeTurn<T>(
  { tools, state }: Engine,
  task: string,
  { signal, onWaiting }: Pick<TaskTurn, 'signal' | 'onWaiting'>,
  body: () => Promise<T>,
): Promise<T> {
  const lock = join(state.locksDir, `nx-${parseTaskId(task)}`);
  const turn = { began: false };
  const enter = (): Promise<T> => {
    turn.began = true;
    return body();
  };
  try {
    return await tools.mutex.with(lock, enter, GLANCE_MS, signal);
  } catch (error) {
    // What the body throws is none of ours.
    if (turn.began || !(error instanceof MutexTimeout)) throw error;
  }
  onWaiting(task);
  return tools.mutex.with(lock, body, TURN_PATIENCE_MS, signal);
}

/**
 * Runs and lands one task of `plan` in a run that several processes share. The caller has seen to it
 * that what it depends on has landed.
 */
export async function runSingleTask(
  engine: Engine,
  plan: Plan,
  { task, ...request }: SingleTaskRequest,
): Promise<SingleTaskResult> {
  const runId = requireRunId(request.runId);
  const [outcome] = await runNxTasks(engine, plan, { ...request, tasks: [{ task }] }, ignore);
  return { success: outcome?.status === 'success', reason: outcome?.reason ?? null, runId };
}

const ignore = (): void => undefined;

/**
 * Runs and lands tasks of `plan`, in their order, in a run that several processes share: at most
 * `parallel` and the plan's own number at once. `onOutcome` is told of each as soon as it has landed or
 * will not land any more; all outcomes come back in the order of the request. The caller has seen to it
 * that what they depend on beside each other has landed.
 */
export async function runNxTasks(
  engine: Engine,
  plan: Plan,
  request: NxTasksRequest,
  onOutcome: (outcome: NxTaskOutcome) => void,
): Promise<readonly NxTaskOutcome[]> {
  const tasks = request.tasks.map(({ task, after = [] }) => {
    const dependsOn = after.map((id) => findTask(plan, id).id);
    return { ...findTask(plan, task), dependsOn };
  });
  checkAdapters(engine.tools, plan);
  const run = requireRunId(request.runId);
  const { parallel } = request;
  return inSharedRun(engine, { plan, run, tasks, parallel }, async (parts, first) => {
    const { loop } = parts;
    const told = new Map<TaskId, NxTaskOutcome>();
    const settle = (task: TaskId): void => {
      if (told.has(task)) return;
      const outcome = outcomeOf(parts, task);
      told.set(task, outcome);
      onOutcome(outcome);
    };
    const stop = loop.on((event) => {
      request.onEvent?.(event);
      if ('task' in event && SETTLED.has(event.type)) settle(event.task);
    });
    const unlisten = stopWith(request.signal, engine, parts, first);
    await loop.finished;
    stop();
    unlisten();
    for (const { id } of tasks) settle(id);
    return tasks.flatMap(({ id }) => told.get(id) ?? []);
  });
}

/** After these nothing becomes of a task any more: Nx alone decides what is tried again. */
const SETTLED: ReadonlySet<RunEvent['type']> = new Set([
  'task:landed',
  'task:failed',
  'task:blocked',
  'task:conflicted',
  'task:cancelled',
]);

function outcomeOf(parts: RunParts, task: TaskId): NxTaskOutcome {
  const { success, reason } = verdictOf(parts, task);
  if (success) return { task, status: 'success', reason };
  const blocked = stateOf(parts.loop.current, task)?.name === 'blocked';
  return { task, status: blocked ? 'skipped' : 'failure', reason };
}

/** Sets the run going, and stops it with the signal; returns how to forget the signal. */
function stopWith(
  signal: AbortSignal | undefined,
  { tools }: Engine,
  { loop }: RunParts,
  first: Fact,
): () => void {
  const onAbort = (): void => {
    const request = { kind: 'stop', how: 'stop' } as const;
    void loop.emit({ type: 'control:requested', request, by: 'Nx', at: tools.clock.now() });
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  // The start of a run sets it going, so an order to stop has to come after it.
  void loop.emit(first);
  if (signal?.aborted === true) onAbort();
  return () => signal?.removeEventListener('abort', onAbort);
}
