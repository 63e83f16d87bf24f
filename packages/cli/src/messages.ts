import type { RunView } from '@parallel-executor/core';
import { countText } from '@parallel-executor/core';

/** Texts of the command line that are not about a single event; see core's `describeEvent` for those. */
export const CONTINUE_WITH = 'Continue later with: parallel-cli resume';

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

export const NO_RUN = 'There is no run here yet.';
export const NO_RUN_FIX = 'Start one with: parallel-cli run';

/** A goal was given where only a plan can be run today. */
export function goalText(goal: string): { readonly message: string; readonly fix: string } {
  return {
    message: `${JSON.stringify(goal)} is not a plan file, and a planner agent that turns a goal into a plan is not available yet.`,
    fix: 'Write the tasks down in parallel.yaml ("parallel-cli init" makes an example), then: parallel-cli run',
  };
}

/** The process that drove the run is gone. */
export const INTERRUPTED =
  'The process that ran this is gone. Nothing is lost; continue with: parallel-cli resume';

/** Nobody took the request because nobody drives the run. */
export const NOT_DELIVERED = 'The request was not delivered';
