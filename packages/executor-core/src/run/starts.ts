import type { RunEvent, RunEventType } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import { waitWhile, type Watched } from './patience';
import { areAsking } from './state-queries';

/** Work that is done waits no longer, e.g. while worktrees are set up for minutes. */
const PATIENCE_MS = 200;

const STARTED_OR_OVER: ReadonlySet<RunEventType> = new Set([
  'process:started',
  'task:verifying',
  'task:queued',
  'task:landed',
  'task:withdrawn',
  'attempt:failed',
]);

/**
 * Resolves when no agent is about to be started, or after 200 ms. Who makes a candidate of work whose agent
 * has left its slot waits for it: where many end together, the next ones start first, and what is left to do
 * is done while they work.
 */
export function startsOf(loop: Watched, clock: Pick<Clock, 'after'>): () => Promise<void> {
  const starting = new Set<TaskId>();
  loop.on((event: RunEvent) => {
    if (event.type === 'task:leased') starting.add(event.task);
    else if ('task' in event && STARTED_OR_OVER.has(event.type)) starting.delete(event.task);
  });
  const isBusy = (): boolean => starting.size > 0 || areAsking(loop.current);
  return () => waitWhile(isBusy, loop, clock, PATIENCE_MS);
}
