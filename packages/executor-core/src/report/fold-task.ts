import { NO_COST, sumOfCosts } from '../model/cost';
import type { EventOf, RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import type { TaskStateName } from '../model/task-state';
import type { AttemptStory } from './attempt-story';
import { listText } from './duration-text';
import type { TaskView } from './run-view';
import { isTaskSettled } from './run-view';

/** Events that are about one task. */
export type TaskEvent = Extract<RunEvent, { readonly task: TaskId }>;
type Patch = Partial<TaskView>;
type Step<T extends TaskEvent['type']> = (event: EventOf<T>, task: TaskView) => Patch;

/**
 * One task's part of the fold: the view of the task after `event`. Pure. Like the scheduler, it
 * ignores late reports about a task that is already settled, and types of a newer writer.
 */
export function applyTaskEvent(task: TaskView, event: TaskEvent): TaskView {
  if (task.state === 'landed') return task;
  const revives = REVIVING.has(event.type);
  if (isTaskSettled(task) && !revives) return task;
  const step = STEPS[event.type] as Step<TaskEvent['type']> | undefined;
  return step === undefined ? task : { ...task, ...step(event, task) };
}

const REVIVING: ReadonlySet<TaskEvent['type']> = new Set([
  'task:reopened',
  'task:resolved',
  'task:landed',
]);

const STEPS: { readonly [T in TaskEvent['type']]: Step<T> } = {
  'task:leasing': (event) => ({ ...enter('leasing', event), waitingFor: [], retryAt: null }),
  'task:leased': (event) => ({ slot: event.slot, lastSlot: event.slot, waitingFor: [] }),
  'task:waiting': (event) => ({ waitingFor: event.holders }),
  'task:withdrawn': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('pending', event),
    attempt: task.state === 'leasing' ? task.attempt : task.attempt + 1,
    ...CLEARED,
  }),
  'task:started': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('running', event),
    ...CLEARED,
    attempt: event.attempt,
    slot: event.slot,
    lastSlot: event.slot,
    profile: event.profile,
    startedAt: task.startedAt ?? event.at,
    attemptStartedAt: event.at,
    inSlotSince: event.at,
    worktree: event.worktree,
    sandbox: event.sandbox ?? 'audit',
    branch: event.branch,
    base: event.base,
    healing: null,
    attemptCost: NO_COST,
  }),
  'process:started': () => ({}),
  'task:widened': () => ({}),
  'check:flaked': () => ({}),
  'task:cost': ({ cost }, task) => ({ cost: sumOfCosts([task.cost, cost]), attemptCost: cost }),
  'task:checkpointed': () => ({}),
  'checkpoint:failed': () => ({}),
  'task:healing': ({ healer, conflict }) => ({
    note: conflict === undefined ? `healer ${healer}` : `resolver ${healer}: ${listText(conflict)}`,
    healing: {
      healer,
      ...(conflict === undefined ? {} : { role: 'resolver' as const }),
      outcome: null,
      note: '',
    },
  }),
  'task:healed': ({ outcome, note }, task) => ({
    note: '',
    healing: { healer: '', ...task.healing, outcome, note },
  }),
  'task:overdue': () => ({}),
  'task:stolen': () => ({}),
  'task:reopened': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('pending', event),
    // A blocked task never began, so its attempt number is still unused.
    attempt: task.state === 'blocked' ? task.attempt : task.attempt + 1,
    ...CLEARED,
  }),
  'task:progress': (event) => ({ progress: clampPercent(event.percent), note: event.note }),
  'task:verifying': (event, task) => ({
    ...(event.leavesSlot === true ? leaveSlot(event, task) : {}),
    ...enter('verifying', event),
    attempt: event.attempt,
  }),
  'task:queued': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('queued', event),
    attempt: event.attempt,
    candidate: event.candidate,
  }),
  'task:cached': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('queued', event),
    cached: true,
    candidate: event.candidate,
  }),
  'task:resolved': (event, task) =>
    task.state === 'conflicted'
      ? { ...enter('queued', event), candidate: event.candidate, finishedAt: null }
      : {},
  'task:merging': (event) => enter('merging', event),
  'attempt:failed': (event, task) => ({
    ...leaveSlot(event, task),
    failure: event.failure,
    failedAttempt: event.attempt,
    salvage: event.salvage,
    attempts: withStory(task, event),
  }),
  'task:retrying': (event, task) => ({
    ...leaveSlot(event, task),
    ...enter('backoff', event),
    ...CLEARED,
    attempt: event.attempt,
    retryAt: event.retryAt,
    failure: event.failure,
  }),
  'timer:due': (event, task) =>
    task.state === 'backoff' ? { ...enter('pending', event), retryAt: null } : {},
  'task:landed': (event, task) => ({
    ...settle('landed', event, task),
    commit: event.commit,
    resolved: event.resolved ?? [],
    failure: null,
  }),
  'task:failed': (event, task) => ({ ...settle('failed', event, task), failure: event.failure }),
  'task:blocked': (event, task) => ({ ...settle('blocked', event, task), blockedBy: event.by }),
  'task:conflicted': (event, task) => ({
    ...settle('conflicted', event, task),
    conflictPaths: event.paths,
  }),
  'task:cancelled': (event, task) => ({
    ...settle('cancelled', event, task),
    cancelledBy: event.by,
  }),
};

/** What belongs to one attempt and is forgotten when the next one begins. */
const CLEARED: Patch = { progress: null, note: '', waitingFor: [], retryAt: null };

/** An attempt fails once, however often that is reported. */
function withStory(task: TaskView, event: EventOf<'attempt:failed'>): readonly AttemptStory[] {
  const { attempt, failure, salvage } = event;
  const { base, healing, candidate, attemptCost: cost } = task;
  // Of a candidate that was refused; an earlier one says nothing of this attempt.
  const resolved = candidate?.ref === salvage ? candidate.resolved : undefined;
  const before = task.attempts.filter((story) => story.attempt !== attempt);
  const story = { attempt, failure, salvage, base, healing, cost };
  return [...before, resolved === undefined ? story : { ...story, resolved }];
}

interface Instant {
  readonly at: number;
}

function settle(state: TaskStateName, event: Instant, task: TaskView): Patch {
  return {
    ...leaveSlot(event, task),
    ...enter(state, event),
    finishedAt: event.at,
    waitingFor: [],
    retryAt: null,
  };
}

function enter(state: TaskStateName, event: Instant): Patch {
  return { state, stateSince: event.at };
}

function leaveSlot(event: Instant, task: TaskView): Patch {
  if (task.inSlotSince === null) return { slot: null };
  const stayed = Math.max(0, event.at - task.inSlotSince);
  return { slot: null, inSlotSince: null, workedMs: task.workedMs + stayed };
}

function clampPercent(percent: number | null): number | null {
  return percent === null ? null : Math.min(100, Math.max(0, percent));
}
