import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { UsageError } from '../usage-error';

export interface ProgressOptions {
  /** Why the task needs no change. */
  readonly noop?: string;
}

/**
 * `progress`: called by an agent to say how far it is (`-` for a note without a number), or to declare
 * that its task needs no change.
 */
export async function execute(
  context: Context,
  percentText: string | undefined,
  note: string | undefined,
  { noop }: ProgressOptions = {},
): Promise<ExitCode> {
  if (noop !== undefined) {
    if (percentText !== undefined) {
      throw new UsageError('A no-op has no per cent.', 'Give --noop "REASON" alone.');
    }
    await (await context.openWorkspace()).declareNoop(noop);
    return Exit.ok;
  }
  const percent = percentOf(percentText);
  const workspace = await context.openWorkspace();
  await workspace.reportProgress(percent, note ?? '');
  return Exit.ok;
}

function percentOf(text: string | undefined): number | null {
  if (text === undefined) {
    throw new UsageError(
      'Which per cent?',
      'For example: parallel-cli progress 40 "wiring routes"',
    );
  }
  if (text === '-') return null;
  const percent = /^\d{1,3}(?:\.\d+)?%?$/.test(text) ? Number(text.replace('%', '')) : NaN;
  if (percent >= 0 && percent <= 100) return percent;
  throw new UsageError(
    `${JSON.stringify(text)} is not a per cent.`,
    'Give a number from 0 to 100, or - for a note alone: parallel-cli progress 40 "wiring routes"',
  );
}
