import type { RunReader, TaskId } from '@parallel-executor/core';
import { UsageError } from './usage-error';

/** The id of a task of the run's plan; throws `UsageError` for anything else. */
export function requireTask({ plan }: Pick<RunReader, 'plan'>, name: string): TaskId {
  const task = plan.tasks.find(({ id }) => id === name);
  if (task !== undefined) return task.id;
  const known = plan.tasks.slice(0, 10).map(({ id }) => id);
  throw new UsageError(`The run has no task ${name}.`, `Its tasks: ${known.join(', ')}`);
}
