import type { Context } from '../context';
import { driveRun } from '../drive-run';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import type { ProgressChoice } from '../ui/progress-choice';

export interface ResumeOptions {
  readonly progress: ProgressChoice;
  readonly json?: boolean | undefined;
}

/** `resume`: tells a paused run to go on, or continues one whose process is gone. */
export async function execute(
  context: Context,
  runId: string | undefined,
  options: ResumeOptions,
): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const json = options.json === true;
  const resumed = await workspace.resume(runId);
  switch (resumed.kind) {
    case 'resumed':
      // Listening comes first; the journal is read while the run begins.
      return driveRun(
        context,
        resumed.run,
        { progress: options.progress, json },
        {
          events: async () => (await workspace.reader(resumed.run.id))?.events() ?? [],
        },
      );
    case 'signalled':
      if (json) context.answerJson({ schemaVersion: 1, run: resumed.runId, resumed: true });
      else context.answer(`${resumed.runId} goes on.`);
      return Exit.ok;
    case 'nothing':
      if (json)
        context.answerJson({ schemaVersion: 1, run: null, resumed: false, reason: resumed.reason });
      else context.answer(`Nothing to resume: ${resumed.reason}`);
      return Exit.ok;
  }
}
