import { isSettled } from '../model/task-state';
import { taskDeadline } from './deadlines';
import { meetRunDeadline } from './overdue';
import { reopen, settleBlocked } from './reopen';
import { backoffLeftMs } from './retry-policy';
import type { RunState } from './run-state';
import type { Turn } from './turn';

/**
 * After a crash: what was queued goes to the merge queue again, back-offs and deadlines get their
 * timers back, retries asked for meanwhile are granted, and decisions that were lost are made again.
 */
export function continueAfterRestart(turn: Turn, before: RunState): void {
  for (const { index, id: task } of turn.state.problem.plan.tasks) {
    const now = turn.state.tasks.get(index);
    if (now.name === 'leasing') turn.withdraw(task);
    if (now.name === 'backoff')
      turn.command({ type: 'wake', task, afterMs: backoffLeftMs(now, turn.at) });
    const deadline = isSettled(now) ? null : taskDeadline(turn.state, index);
    if (deadline !== null) turn.command({ type: 'deadline', task, at: deadline });
  }
  for (const { target, by } of before.asked) reopen(turn, target, by);
  settleBlocked(turn, 'recovery');
  if (turn.state.failedFast) turn.cancelAll('fail_fast', 'interrupt');
  meetRunDeadline(turn);
  if (turn.tasksIn('queued', 'merging').length > 0) turn.command({ type: 'land' });
}
