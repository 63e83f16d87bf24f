import {
  describeFailure,
  slotName,
  type EventOf,
  type RunEvent,
  type RunEventType,
} from '@parallel-executor/core';

type Says = { readonly [T in RunEventType]?: (event: EventOf<T>) => string | null };

/** What is worth a line in a log that is about one task; the rest is bookkeeping. */
const SAYS: Says = {
  'task:waiting': ({ holders }) =>
    holders.length === 0 ? null : `waits for ${holders.join(', ')}`,
  'task:started': ({ attempt, slot, profile }) =>
    `attempt ${attempt} in ${slotName(slot)} (${profile})`,
  'task:progress': ({ percent, note }) =>
    percent === null ? note : `${percent} % ${note}`.trimEnd(),
  'task:verifying': () => 'checks run in its worktree',
  'task:healing': ({ healer }) => `the healer ${healer} looks at the failed attempt`,
  'task:healed': ({ outcome }) => `healer: ${outcome}`,
  'task:queued': ({ candidate: { noop, noopReason, fileCount } }) => {
    if (!noop) return `done, changed files: ${fileCount}`;
    return `done, nothing to change${noopReason === undefined ? '' : `: ${noopReason}`}`;
  },
  'task:landed': ({ commit }) =>
    commit === null ? 'nothing to land' : `landed as ${commit.slice(0, 10)}`,
  'attempt:failed': ({ attempt, failure }) => `attempt ${attempt}: ${describeFailure(failure)}`,
  'task:retrying': ({ attempt }) => `tries again, attempt ${attempt}`,
};

/** One plain line for the log of `task`, or `null` for an event that is about something else. */
export function eventLine(event: RunEvent, task: string): string | null {
  if (!('task' in event) || event.task !== task) return null;
  // The table gives each type its own event; the compiler cannot see that from a union.
  const say = SAYS[event.type] as ((event: RunEvent) => string | null) | undefined;
  const said = say?.(event) ?? null;
  return said === null ? null : `${task}: ${said}`;
}
