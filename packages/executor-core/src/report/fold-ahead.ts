import type { RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import type { TaskStateName } from '../model/task-state';

/** Work of agents that will not merge as it is. */
export interface ConflictAhead {
  /** Two tasks; one alone conflicts with what has landed. */
  readonly tasks: readonly TaskId[];
  readonly paths: readonly string[];
  /** When it was seen first. */
  readonly since: number;
}

const AT_WORK: ReadonlySet<TaskStateName> = new Set(['running', 'verifying', 'queued', 'merging']);

/** The coming conflicts after an event about the run. */
export function foldAhead(
  before: readonly ConflictAhead[],
  event: RunEvent,
): readonly ConflictAhead[] {
  // Whoever goes on with the run looks anew.
  if (event.type === 'run:resumed' || event.type === 'run:finished') return [];
  if (event.type !== 'conflict:ahead') return before;
  const { tasks, paths, at } = event;
  const isIt = (one: ConflictAhead): boolean => one.tasks.join('\n') === tasks.join('\n');
  const since = before.find(isIt)?.since ?? at;
  const others = before.filter((one) => !isIt(one));
  return paths.length === 0 ? others : [...others, { tasks, paths, since }];
}

/** What is left of them when `task` came to `state`: its work may be gone, or have landed. */
export function withoutEnded(
  before: readonly ConflictAhead[],
  task: TaskId,
  state: TaskStateName,
): readonly ConflictAhead[] {
  if (before.length === 0 || AT_WORK.has(state)) return before;
  return before.filter(({ tasks }) => !tasks.includes(task));
}

/** `api and web both change a.ts, b.ts`, or `web changes a.ts, which has changed since it started`. */
export function aheadText({ tasks, paths }: Pick<ConflictAhead, 'tasks' | 'paths'>): string {
  const files = paths.join(', ');
  return tasks.length > 1
    ? `${tasks.join(' and ')} both change ${files}`
    : `${tasks.join('')} and what has landed since it started both change ${files}`;
}
