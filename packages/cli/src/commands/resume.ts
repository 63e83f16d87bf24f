import type { ResumeResult, Workspace } from '@parallel-executor/core';
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
  const resumed = await workspace.resume(runId);
  return followUp(context, workspace, resumed, options, {
    key: 'resumed',
    signalled: 'goes on',
    nothing: 'Nothing to resume',
  });
}

/** What is said when the run goes on elsewhere, or not at all; `key` says so with `--json`. */
interface Wording {
  readonly key: string;
  readonly signalled: string;
  readonly nothing: string;
}

/** Drives a run that goes on here to its end; otherwise says what happened. */
export async function followUp(
  context: Context,
  workspace: Workspace,
  resumed: ResumeResult,
  options: ResumeOptions,
  { key, signalled, nothing }: Wording,
): Promise<ExitCode> {
  const json = options.json === true;
  switch (resumed.kind) {
    case 'resumed':
      // Listening comes first; the journal is read while the run begins.
      return driveRun(
        context,
        resumed.run,
        { progress: options.progress, json },
        { events: async () => (await workspace.reader(resumed.run.id))?.events() ?? [] },
      );
    case 'signalled':
      if (json) context.answerJson({ schemaVersion: 1, run: resumed.runId, [key]: true });
      else context.answer(`${resumed.runId} ${signalled}.`);
      return Exit.ok;
    case 'nothing': {
      const { reason } = resumed;
      if (json) context.answerJson({ schemaVersion: 1, run: null, [key]: false, reason });
      else context.answer(`${nothing}: ${reason}`);
      return Exit.ok;
    }
  }
}
