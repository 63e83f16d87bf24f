import type { EventOf } from '../model/event';
import { isInSlot } from '../model/task-state';
import { isBroken } from './barriers';
import { changed, type RunState, type Waiter } from './run-state';

/** A phase is over: its barrier lets the tasks of the next one start, and whoever waits at it go on. */
export function openBarrier(state: RunState, barrier: string): RunState {
  const { plan } = state.problem;
  const opened = plan.phases.indexOf(barrier);
  if (opened < state.openPhase) return state;
  const waiters = state.waiters.filter((waiter) => waiter.phase > opened);
  return changed(state, {
    openPhase: opened + 1,
    waiters,
    ready: state.ready.openUpTo(opened + 1),
  });
}

/** Remembers that the barrier was reported broken. */
export function breakBarrier(state: RunState, barrier: string): RunState {
  const phase = state.problem.plan.phases.indexOf(barrier);
  if (phase < 0 || state.broken.includes(phase)) return state;
  return changed(state, { broken: [...state.broken, phase] });
}

/** A barrier that can open after all may break again, and is then reported again. */
export function mendBarriers(state: RunState): RunState {
  const broken = state.broken.filter((phase) => isBroken(state, phase));
  return broken.length === state.broken.length ? state : changed(state, { broken });
}

/** An agent of this run begins to wait; others hold nothing that could be in the way. */
export function enterBarrier(state: RunState, event: EventOf<'barrier:waiting'>): RunState {
  const waiter = waiterOf(state, event);
  if (waiter === null || waiter.phase < state.openPhase) return state;
  const { task, phase } = waiter;
  if (
    !isInSlot(state.tasks.get(task)) ||
    state.waiters.some((one) => one.task === task && one.phase === phase)
  )
    return state;
  return changed(state, { waiters: [...state.waiters, waiter] });
}

/** The agent waits no longer. */
export function leaveBarrier(state: RunState, event: EventOf<'barrier:left'>): RunState {
  const gone = waiterOf(state, event);
  if (gone === null) return state;
  const waiters = state.waiters.filter(
    ({ task, phase }) => task !== gone.task || phase !== gone.phase,
  );
  return waiters.length === state.waiters.length ? state : changed(state, { waiters });
}

function waiterOf(
  state: RunState,
  { barrier, waiter }: EventOf<'barrier:waiting'> | EventOf<'barrier:left'>,
): Waiter | null {
  const task = waiter === null ? undefined : state.problem.indexOf.get(waiter);
  const phase = state.problem.plan.phases.indexOf(barrier);
  return task === undefined || phase < 0 ? null : { task, phase };
}
