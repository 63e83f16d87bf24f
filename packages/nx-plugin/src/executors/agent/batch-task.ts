import type { TaskGraph } from '@nx/devkit';
import type { AgentExecutorOptions } from './executor';
import { refusal } from './executor';
import { nested } from './shared-run';
import { dependenciesOf, upstreamTasks } from './upstream-tasks';

/** What Nx is told of one task of a batch. Instants are epoch ms. */
export interface BatchTaskResult {
  /** Nx's id of the task. */
  readonly task: string;
  readonly result: {
    readonly success: boolean;
    readonly status: 'success' | 'failure' | 'skipped';
    readonly terminalOutput: string;
    readonly startTime: number;
    readonly endTime: number;
  };
}

/** One task of a batch. */
export interface BatchTask {
  /** Nx's id of the task. */
  readonly id: string;
  /** Id of the task in the plan; empty where `refused`. */
  readonly task: string;
  /** Why it cannot be run; `null` when it can. */
  readonly refused: string | null;
  /** Nx's ids of the tasks of the batch it waits for. */
  readonly after: readonly string[];
  /** Tasks of the plan that it builds upon, of the batch and of before. */
  readonly upstream: readonly string[];
}

/**
 * The tasks of a batch, each behind those it waits for.
 *
 * @param graph The batch; its edges may lead out of it, to what has ended already.
 * @param whole All tasks of the Nx command.
 */
export function batchTasks(
  graph: TaskGraph,
  inputs: Readonly<Record<string, AgentExecutorOptions>>,
  whole: TaskGraph,
): readonly BatchTask[] {
  const sorted: BatchTask[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const after = dependenciesOf(graph, id).filter((other) => graph.tasks[other] !== undefined);
    for (const other of after) visit(other);
    const options = inputs[id] ?? {};
    const { task = '' } = options;
    const refused = task === '' ? refusal(options) : nested(task);
    sorted.push({ id, task, refused, after, upstream: upstreamTasks(whole, id) });
  };
  for (const id of Object.keys(graph.tasks)) visit(id);
  return sorted;
}
