import { learnDurations, type DurationModel } from '../graph/durations';
import type { RunEvent } from '../model/event';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { taskKey } from '../plan/task-key';
import type { FileSystem } from '../ports/file-system';
import { openDurationHistory, type DurationHistory } from '../store/duration-history';

/** What the history of the repository says about the tasks of a plan. */
export async function knownDurations(
  fs: FileSystem,
  root: string,
  plan: Plan,
): Promise<DurationModel> {
  const history = await openDurationHistory(fs, root).read();
  return learnDurations(history, (task) => taskKey(plan, task));
}

/** Writes down how long attempts take while a run goes on. */
export interface DurationRecorder {
  readonly take: (event: RunEvent) => void;
  /** Resolves when all that was taken is written; never rejects, as a run does not depend on it. */
  readonly settled: () => Promise<void>;
}

/**
 * An attempt lasts from its start until its result waits to land (success) or it fails. Attempts that
 * others ended say nothing about the work and are left out, as are tasks that `plan` does not hold.
 */
export function recordDurations(history: DurationHistory, plan: Plan): DurationRecorder {
  const started = new Map<TaskId, number>();
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  let writing: Promise<void> = Promise.resolve();
  const add = (id: TaskId, at: number, ok: boolean): void => {
    const [task, since] = [tasks.get(id), started.get(id)];
    if (task === undefined || task.profile === null || since === undefined) return;
    started.delete(id);
    const { taskType, project, profile } = task;
    const ms = Math.max(1, at - since);
    const sample = { key: taskKey(plan, task), taskType, project, profile, ms, at, ok };
    writing = writing.then(() => history.add(sample)).catch(() => undefined);
  };
  return {
    take(event) {
      if (event.type === 'task:started') started.set(event.task, event.at);
      else if (event.type === 'task:queued') add(event.task, event.at, true);
      else if (event.type === 'attempt:failed') {
        if (isOwnFailure(event.failure)) add(event.task, event.at, false);
        else started.delete(event.task);
      }
    },
    settled: () => writing,
  };
}

function isOwnFailure(failure: Failure): boolean {
  switch (failure.kind) {
    case 'agent-exit':
    case 'agent-signal':
    case 'agent-error':
    case 'timeout':
    case 'verify-failed':
    case 'lock-violation':
    case 'no-evidence':
      return true;
    case 'try-later':
    case 'setup-failed':
    case 'conflict':
    case 'lease-timeout':
    case 'lost-lease':
    case 'deadline':
    case 'interrupted':
    case 'cancelled':
      return false;
  }
}
