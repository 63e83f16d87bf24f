import type { EventOf, RunEvent } from '../model/event';
import type { TaskState } from '../model/task-state';
import { isHolding, isSettled, isUnderWay } from '../model/task-state';

/** Events that are about one task. */
export type TaskEvent = Extract<RunEvent, { readonly task: unknown }>;

/** What a transition depends on beside the task's own state. */
export interface Known {
  /** Whether nobody is in this slot and there may be one more at work. */
  readonly isSlotFree: (slot: number) => boolean;
  /** Highest fencing token seen for the task before this event. */
  readonly token: number;
}

type Transition<T extends TaskEvent['type']> = (
  before: TaskState,
  event: EventOf<T>,
  known: Known,
) => TaskState | null;

/**
 * The state of a task after an event; `null` where the event does not apply: a late report about a
 * settled task, a report of an attempt that is not the current one, a lease that was granted before.
 */
export function nextTaskState(before: TaskState, event: TaskEvent, known: Known): TaskState | null {
  const transition = TRANSITIONS[event.type] as Transition<TaskEvent['type']> | undefined;
  // Without one it is a newer writer's event.
  return transition === undefined ? null : transition(before, event, known);
}

/** The event tells something and moves nothing. */
const informs = (): null => null;

const TRANSITIONS: { readonly [T in TaskEvent['type']]: Transition<T> } = {
  'task:leasing': (before) =>
    before.name === 'pending' ? { name: 'leasing', attempt: before.attempt } : null,
  'task:leased': (before, { slot, token }, known) =>
    before.name === 'leasing' && token > known.token && known.isSlotFree(slot)
      ? { name: 'running', attempt: before.attempt, slot, token }
      : null,
  'task:withdrawn': (before) => {
    if (isSettled(before)) return null;
    const next = before.name === 'leasing' ? before.attempt : before.attempt + 1;
    return { name: 'pending', attempt: next };
  },
  'task:verifying': verify,
  'task:queued': handIn,
  'task:cached': (before, { candidate }) =>
    before.name === 'pending' || before.name === 'leasing' || before.name === 'backoff'
      ? { name: 'queued', attempt: before.attempt, candidate }
      : null,
  'task:resolved': (before, { attempt, candidate }) =>
    before.name === 'conflicted' && before.attempt === attempt
      ? { name: 'queued', attempt, candidate }
      : null,
  'task:merging': (before) => (before.name === 'queued' ? { ...before, name: 'merging' } : null),
  // What is on the branch has landed, whatever this scheduler thought became of the task.
  'task:landed': (before, { commit }) =>
    before.name === 'landed' ? null : { name: 'landed', attempt: before.attempt, commit },
  'attempt:failed': (before, event) => (isCurrent(before, event) ? before : null),
  'task:retrying': (before, { attempt, retryAt, failure, at: since }) =>
    isSettled(before) ? null : { name: 'backoff', attempt, since, retryAt, failure },
  'timer:due': (before) =>
    before.name === 'backoff' ? { name: 'pending', attempt: before.attempt } : null,
  'task:failed': (before, { failure }) =>
    isSettled(before) ? null : { name: 'failed', attempt: before.attempt, failure },
  'task:blocked': (before, { by }) =>
    isSettled(before) ? null : { name: 'blocked', attempt: before.attempt, by },
  'task:conflicted': (before, { paths }) =>
    isSettled(before) ? null : { name: 'conflicted', attempt: before.attempt, paths },
  'task:cancelled': (before, { by }) =>
    isSettled(before) ? null : { name: 'cancelled', attempt: before.attempt, by },
  'task:reopened': (before) => {
    if (!isSettled(before) || before.name === 'landed') return null;
    // A blocked task never began, so its attempt number is still unused.
    const next = before.name === 'blocked' ? before.attempt : before.attempt + 1;
    return { name: 'pending', attempt: next };
  },
  'task:waiting': informs,
  'task:started': informs,
  'task:progress': informs,
  'process:started': informs,
  'task:overdue': informs,
  'task:widened': informs,
  'check:flaked': informs,
  'task:cost': informs,
  'task:healing': informs,
  'task:healed': informs,
  'task:checkpointed': informs,
  'checkpoint:failed': informs,
  'task:stolen': informs,
};

/** Told once more it changes nothing, unless the slot is left now; a slot that was left stays so. */
function verify(before: TaskState, event: EventOf<'task:verifying'>): TaskState | null {
  if (!isUnderWay(before) || before.attempt !== event.attempt) return null;
  const slot = event.leavesSlot === true ? null : before.slot;
  if (before.name === 'verifying' && before.slot === slot) return null;
  return { ...before, name: 'verifying', slot };
}

/**
 * A candidate is taken from the attempt that holds the lease. A candidate that is queued already is
 * taken again only under a newer lease: that is how it passes on to a new process after a crash.
 */
function handIn(before: TaskState, event: EventOf<'task:queued'>): TaskState | null {
  const { attempt, candidate } = event;
  if (before.attempt !== attempt) return null;
  const fits = isUnderWay(before)
    ? before.token === candidate.fence
    : (before.name === 'queued' || before.name === 'merging') &&
      before.candidate.fence < candidate.fence;
  return fits ? { name: 'queued', attempt, candidate } : null;
}

/** Whether the attempt that failed is the one asked for, at work, or waiting to land. */
export function isCurrent(state: TaskState, event: EventOf<'attempt:failed'>): boolean {
  if (!isHolding(state) || state.attempt !== event.attempt) return false;
  return event.token === undefined || event.token === tokenOf(state);
}

function tokenOf(state: TaskState): number | null {
  if ('token' in state) return state.token;
  return 'candidate' in state ? state.candidate.fence : null;
}
