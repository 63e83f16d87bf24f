import type { EventOf } from '../model/event';
import { isSettled } from '../model/task-state';
import { deadlineFailure, isRunOverdue, runDeadline, taskDeadline } from './deadlines';
import { stateOf } from './run-state';
import type { Turn } from './turn';

/** The alarm of a deadline: what is not done by then has failed; one that rang too early is set again. */
export function onOverdue(
  turn: Turn,
  event: EventOf<'task:overdue'> | EventOf<'run:overdue'>,
): void {
  if (event.type === 'run:overdue') meetRunDeadline(turn);
  else meetTaskDeadline(turn, event);
}

/** Fails what is left when the time of the run is up, else waits for it. */
export function meetRunDeadline(turn: Turn): void {
  if (isRunOverdue(turn.state, turn.at)) turn.failUnfinished();
  else armRunDeadline(turn);
}

/** Asks to be told when the time of the run is up. */
export function armRunDeadline(turn: Turn): void {
  const deadline = runDeadline(turn.state);
  if (deadline !== null) turn.command({ type: 'deadline', task: null, at: deadline });
}

function meetTaskDeadline(turn: Turn, { task }: EventOf<'task:overdue'>): void {
  const index = turn.state.problem.indexOf.get(task);
  const now = stateOf(turn.state, task);
  if (index === undefined || now === undefined || isSettled(now)) return;
  if (now.name === 'queued' || now.name === 'merging') return;
  const deadline = taskDeadline(turn.state, index);
  const failure = deadlineFailure(turn.state, index, turn.at);
  if (failure !== null) turn.failForGood(task, failure);
  else if (deadline !== null) turn.command({ type: 'deadline', task, at: deadline });
}
