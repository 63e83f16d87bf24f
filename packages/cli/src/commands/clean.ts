import type { CleanChoice, CleanReport, CleanVerdict, Workspace } from '@parallel-executor/core';
import { isRunId, leftoverKey } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { cleanedText, leftoversText, unlandedText } from '../ui/clean-text';
import { UsageError } from '../usage-error';

export interface CleanOptions {
  readonly force?: boolean | undefined;
  readonly unlanded?: boolean | undefined;
  readonly run?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `clean`: shows what runs left behind; with `--force` removes what is of no use. */
export async function execute(context: Context, options: CleanOptions): Promise<ExitCode> {
  const choice = choiceOf(options);
  const workspace = await context.openWorkspace();
  if (options.force === true) return remove(context, workspace, choice, options.json === true);
  const report = await workspace.leftovers(choice);
  if (options.json === true) context.answerJson(reportJson(report, false));
  else context.answer(leftoversText(report, workspace.root, context.deps.now()));
  return Exit.ok;
}

async function remove(
  context: Context,
  workspace: Workspace,
  choice: CleanChoice,
  json: boolean,
): Promise<ExitCode> {
  // On the screen before it goes, whatever happens to this process.
  const result = await workspace.clean(choice, (report) => {
    for (const line of unlandedText(report, workspace.root)) context.narrate(line);
  });
  if (json) {
    context.answerJson({
      ...reportJson(result, true),
      removed: result.removed.map(({ item, saved }) => ({ id: leftoverKey(item), ...item, saved })),
      failed: result.failed.map(({ item, why }) => ({ id: leftoverKey(item), ...item, why })),
      ended_processes: result.ended,
    });
  } else context.answer(cleanedText(result, workspace.root));
  return result.failed.length === 0 ? Exit.ok : Exit.failed;
}

function choiceOf({ run, unlanded = false }: CleanOptions): CleanChoice {
  if (run === undefined || isRunId(run)) return { run, unlanded };
  throw new UsageError(
    `${JSON.stringify(run)} is not a run id.`,
    'Run ids look like PEXEC-1705323000000; parallel-cli clean lists them.',
  );
}

/** What `--json` prints. Keys change by addition only; instants are ISO 8601. */
function reportJson({ runs, verdicts }: CleanReport, forced: boolean): object {
  return {
    schemaVersion: 1,
    forced,
    runs: runs.map(({ id, standing, checkout, current, quarantined }) => ({
      id,
      standing,
      checkout,
      current,
      quarantined,
    })),
    items: verdicts.map(itemJson),
  };
}

function itemJson({ item, fate, why }: CleanVerdict): object {
  const id = leftoverKey(item);
  if (item.kind !== 'folder') return { id, ...item, fate, why };
  const { changedAt, ...rest } = item;
  const changed_at = changedAt === null ? null : new Date(changedAt).toISOString();
  return { id, ...rest, changed_at, fate, why };
}
