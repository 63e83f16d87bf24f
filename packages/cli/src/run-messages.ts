import type { RunView } from '@parallel-executor/core';
import { countText } from '@parallel-executor/core';
import { CONTINUE_WITH } from './messages';

/** A sign of life of a run in which nothing changes. */
export function heartbeat(view: RunView): string {
  const { active, completed } = view.counts;
  return `still running: ${countText(active, 'agent')} at work, ${completed} of ${countText(view.tasks.size, 'task')} landed`;
}

/** What the n-th Ctrl-C does. */
export function interruptText(nth: number, active: number): string {
  if (nth === 1) {
    return `Draining: ${countText(active, 'agent')} may finish, nothing new starts. Ctrl-C again stops them. ${CONTINUE_WITH}`;
  }
  if (nth === 2) return `Stopping the agents. Ctrl-C again kills them. ${CONTINUE_WITH}`;
  return `Killing the agents. What they wrote is kept. ${CONTINUE_WITH}`;
}

/** What SIGTERM and SIGHUP do. */
export function terminateText(signal: string): string {
  return `${signal}: stopping the agents. ${CONTINUE_WITH}`;
}
