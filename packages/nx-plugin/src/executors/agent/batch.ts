import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { abortOnStop } from './abort-on-stop';
import { BatchRun } from './batch-run';
import type { BatchTaskResult } from './batch-task';
import { batchTasks } from './batch-task';
import type { AgentExecutorOptions } from './executor';
import { explain } from './shared-run';
import { Stream } from './stream';

/**
 * Runs the tasks Nx gives at once (`nx run-many -t agent --batch`) in this one process, and yields the
 * result of each as soon as it has landed, or will not. Nx neither orders nor counts them: they run in the
 * order of `taskGraph`, at most `--parallel` and `max_agents` at once, in the run of the Nx command.
 *
 * @param taskGraph What is to run; `context.taskGraph` has the rest of the command as well.
 * @param inputs Options of the executor by Nx's id of a task.
 */
export async function* agentBatch(
  taskGraph: TaskGraph,
  inputs: Readonly<Record<string, AgentExecutorOptions>>,
  _overrides: unknown,
  context: ExecutorContext,
): AsyncGenerator<BatchTaskResult> {
  const results = new Stream<BatchTaskResult>();
  const stop = abortOnStop(process);
  const tasks = batchTasks(taskGraph, inputs, context.taskGraph ?? taskGraph);
  const run = new BatchRun(tasks, context.root, stop.signal, (result) => {
    results.push(result);
  });
  const work = run
    .perform()
    .catch((error: unknown) => {
      run.failRest(stop.signal.aborted ? 'stopped' : explain(error));
    })
    .finally(() => {
      results.end();
    });
  try {
    yield* results;
    await work;
  } finally {
    stop.dispose();
  }
}
