import { join } from 'node:path';
import type { RunId } from '../model/ids';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { MutexTimeout } from '../ports/mutex';
import type { RunParts } from './assemble';
import type { Engine } from './engine';
import { checkAdapters } from './engine';
import { findTask, inSharedRun, requireRunId, verdictOf } from './shared-run';

/** Who waits longer than this is told. */
const GLANCE_MS = 500;
/** An agent may take hours, and waiting is no failure. */
const TURN_PATIENCE_MS = 24 * 60 * 60 * 1000;

/** One `agent` target of an Nx invocation. */
export interface SingleTaskRequest {
  readonly task: string;
  /** Run shared by all processes of the invocation, `PEXEC-<ms>`. */
  readonly runId: string;
  /** How many tasks Nx runs at once. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Parameters<Parameters<RunParts['loop']['on']>[0]>[0]) => void;
}

export interface SingleTaskResult {
  readonly success: boolean;
  /** Why it did not land, one line. */
  readonly reason: string | null;
  readonly runId: RunId;
}

/** A process of an Nx command that is about to produce the result of a task. */
export interface TaskTurn {
  readonly task: string;
  readonly signal?: AbortSignal;
  /** Another process, of another Nx command then, produces it right now. */
  readonly onWaiting: () => void;
}

/**
 * Runs `body` while no other process of this checkout produces the result of the same task: who comes
 * second finds the result of the first. Rejects with `MutexTimeout` when `signal` is aborted before.
 */
export async function inTaskTurn<T>(
  { tools, state }: Engine,
  { task, signal, onWaiting }: TaskTurn,
  body: () => Promise<T>,
): Promise<T> {
  await tools.fs.makeDir(state.locksDir);
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
  onWaiting();
  return tools.mutex.with(lock, body, TURN_PATIENCE_MS, signal);
}

/**
 * Runs and lands one task of `plan` in a run that several processes share. The caller has seen to it
 * that what it depends on has landed.
 */
export async function runSingleTask(
  engine: Engine,
  plan: Plan,
  request: SingleTaskRequest,
): Promise<SingleTaskResult> {
  const task = findTask(plan, request.task);
  checkAdapters(engine.tools, plan);
  const runId = requireRunId(request.runId);
  const { parallel } = request;
  return inSharedRun(
    engine,
    { plan, run: runId, tasks: [task], parallel },
    async (parts, first) => {
      const { loop } = parts;
      const stop = loop.on((event) => request.onEvent?.(event));
      const onAbort = (): void => {
        const request_ = { kind: 'stop', how: 'stop' } as const;
        void loop.emit({
          type: 'control:requested',
          request: request_,
          by: 'Nx',
          at: engine.tools.clock.now(),
        });
      };
      request.signal?.addEventListener('abort', onAbort, { once: true });
      // The start of a run sets it going, so an order to stop has to come after it.
      void loop.emit(first);
      if (request.signal?.aborted === true) onAbort();
      await loop.finished;
      stop();
      request.signal?.removeEventListener('abort', onAbort);
      return { runId, ...verdictOf(parts, task.id) };
    },
  );
}
