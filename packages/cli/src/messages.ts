/**
 * Texts of the command line that are not about a run's events (core's `describeEvent` has those) nor
 * about a run going on (`run-messages.ts`). Loads nothing: help needs it.
 */
export const CONTINUE_WITH = 'Continue later with: parallel-cli resume';

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

/** A person ended the run before its tasks were done. */
export const STOPPED_EARLY = 'Stopped early; continue with: parallel-cli resume';

/** Nobody took the request because nobody drives the run. */
export const NOT_DELIVERED = 'The request was not delivered';

/** Below the help of the program. The codes are those of `ExitCode`. */
export const EXIT_CODES_HELP = `
Exit codes:
  0    everything landed
  1    some task failed or is blocked
  2    wrong usage or an invalid plan; nothing was started
  3    stopped early, or waiting for a person
  4    another run holds this workspace
  130  ended after Ctrl-C
  143  ended after SIGTERM
`;

/** Below the help of `clean`. */
export const CLEAN_HELP = `
Without --run and --unlanded only that goes of which git proves that it landed, or
whose work is saved under a ref first. Work that did not land goes only with one of
them, and its commit ids are printed before. A run that resume can continue goes only
by --run. Nothing goes while a run is at work here (exit code 4).
`;
