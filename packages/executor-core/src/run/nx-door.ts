import type { RunId } from '../model/ids';
import type { Plan } from '../model/task';
import type { RunParts } from './assemble';
import type { Engine } from './engine';
import { checkAdapters } from './engine';
import { findTask, inSharedRun, requireRunId, verdictOf } from './shared-run';

/** One `agent` target of an Nx invocation. */
export interface SingleTaskRequest {
  readonly task: string;
  /** Run shared by all processes of the invocation, `PEXEC-<ms>`. */
  readonly runId: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Parameters<Parameters<RunParts['loop']['on']>[0]>[0]) => void;
}

export interface SingleTaskResult {
  readonly success: boolean;
  /** Why it did not land, one line. */
  readonly reason: string | null;
  readonly runId: RunId;
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
  return inSharedRun(engine, plan, runId, [task], async (parts, first) => {
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
    if (request.signal?.aborted === true) onAbort();
    void loop.emit(first);
    await loop.finished;
    stop();
    request.signal?.removeEventListener('abort', onAbort);
    return { runId, ...verdictOf(parts, task.id) };
  });
}
