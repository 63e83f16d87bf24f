import type { RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Waiting } from './lander';
import { namesTask } from './run-loop';

/**
 * Candidates that wait to land according to a journal, in the order they were queued. Used where
 * several processes share one run; a process that runs alone asks its own state instead.
 */
export function queuedCandidates(events: readonly RunEvent[]): readonly Waiting[] {
  const waiting = new Map<TaskId, Waiting>();
  for (const event of events) {
    if (!namesTask(event)) continue;
    switch (event.type) {
      case 'task:queued':
      case 'task:resolved':
        waiting.set(event.task, {
          task: event.task,
          attempt: event.attempt,
          candidate: event.candidate,
        });
        break;
      case 'task:cached':
        waiting.set(event.task, { task: event.task, attempt: 1, candidate: event.candidate });
        break;
      case 'task:landed':
      case 'attempt:failed':
      case 'task:failed':
      case 'task:cancelled':
      case 'task:blocked':
      case 'task:conflicted':
        waiting.delete(event.task);
        break;
      case 'task:leased':
      case 'task:waiting':
      case 'task:started':
      case 'process:started':
      case 'task:progress':
      case 'task:verifying':
      case 'task:merging':
      case 'timer:due':
      case 'task:leasing':
      case 'task:withdrawn':
      case 'task:retrying':
      case 'task:overdue':
      case 'task:widened':
      case 'task:healing':
      case 'task:healed':
      case 'task:checkpointed':
      case 'checkpoint:failed':
      case 'check:flaked':
      case 'task:cost':
      case 'task:stolen':
      case 'task:reopened':
        break;
    }
  }
  return [...waiting.values()];
}
