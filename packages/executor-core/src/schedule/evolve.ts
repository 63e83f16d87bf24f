import type { EventOf, RunEvent } from '../model/event';
import { isInSlot } from '../model/task-state';
import {
  breakBarrier,
  enterBarrier,
  leaveBarrier,
  mendBarriers,
  openBarrier,
} from './barrier-state';
import { Chunked } from './chunked';
import { followUp, note, replace } from './effects';
import { changed, type RunState } from './run-state';
import { nextTaskState, type TaskEvent } from './transitions';

/**
 * The state after an event, without any decision: `fold(evolve, journal)` is the live state. An
 * event that does not fit the task's state (a late report about a task already settled, a task of
 * another plan) changes nothing.
 */
export function evolve(state: RunState, event: RunEvent): RunState {
  const next = 'task' in event ? evolveTask(state, event) : evolveRun(state, event);
  return next === state || next.broken.length === 0 ? next : mendBarriers(next);
}

function evolveRun(state: RunState, event: Exclude<RunEvent, TaskEvent>): RunState {
  switch (event.type) {
    case 'run:started':
      return changed(goOn(state), { startedAt: event.at });
    case 'run:resumed':
      return startedBy(goOn(state), event.at);
    case 'run:joined':
      return changed(state, {
        started: true,
        ...(event.since === undefined ? {} : { startedAt: event.since }),
      });
    case 'run:mode':
      return changed(state, { mode: event.mode, suspended: event.suspended === true });
    case 'run:resized':
      return changed(state, { maxAgents: event.maxAgents });
    case 'run:finished':
      return changed(state, { outcome: event.outcome, asked: [] });
    case 'barrier:opened':
      return openBarrier(state, event.barrier);
    case 'barrier:broken':
      return breakBarrier(state, event.barrier);
    case 'barrier:waiting':
      return enterBarrier(state, event);
    case 'barrier:left':
      return leaveBarrier(state, event);
    case 'control:requested':
      return noteRequest(state, event);
    case 'run:overdue':
    case 'target:advanced':
    case 'target:held':
    case 'pull-request':
    case 'conflict:ahead':
    case 'disk:refused':
    case 'disk:recovered':
      return state;
    // A newer writer's event: this version's decisions do not depend on it.
    default:
      return state;
  }
}

function goOn(state: RunState): RunState {
  return changed(state, { started: true, mode: 'running', suspended: false, outcome: null });
}

/** Nothing can have begun after `at`: where it seems so, the clock was ahead then, and deadlines count from now. */
function startedBy(state: RunState, at: number): RunState {
  const earlier = (begun: number | null): number | null =>
    begun === null ? null : Math.min(begun, at);
  const firstStarts = Chunked.from(state.firstStarts.toArray().map(earlier));
  return { ...state, startedAt: earlier(state.startedAt), firstStarts };
}

/** With nobody there to decide, a retry waits for the run to be resumed. */
function noteRequest(state: RunState, event: EventOf<'control:requested'>): RunState {
  const { request, by } = event;
  if (request.kind !== 'retry' || state.outcome === null) return state;
  return changed(state, { asked: [...state.asked, { target: request.target, by }] });
}

function evolveTask(state: RunState, event: TaskEvent): RunState {
  const index = state.problem.indexOf.get(event.task);
  if (index === undefined) return state;
  const before = state.tasks.get(index);
  const isSlotFree = (slot: number): boolean => mayTakeSlot(state, slot);
  const after = nextTaskState(before, event, { isSlotFree, token: state.tokens.get(index) });
  const noted = note(state, index, event);
  if (after === null) return noted;
  return followUp(replace(noted, index, before, after), index, event);
}

function mayTakeSlot(state: RunState, slot: number): boolean {
  let count = 0;
  const isTaken = state.atWork.some((index) => {
    const now = state.tasks.get(index);
    if (!isInSlot(now)) return false;
    count += 1;
    return now.slot === slot;
  });
  return !isTaken && slot <= state.maxAgents && count < state.maxAgents;
}
