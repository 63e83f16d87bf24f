import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { UsageError } from '../usage-error';

/** `progress`: called by an agent to say how far it is; `-` for a note without a number. */
export async function execute(
  context: Context,
  percentText: string,
  note: string | undefined,
): Promise<ExitCode> {
  const percent = percentOf(percentText);
  const workspace = await context.openWorkspace();
  await workspace.reportProgress(percent, note ?? '');
  return Exit.ok;
}

function percentOf(text: string): number | null {
  if (text === '-') return null;
  const percent = /^\d{1,3}(?:\.\d+)?%?$/.test(text) ? Number(text.replace('%', '')) : NaN;
  if (percent >= 0 && percent <= 100) return percent;
  throw new UsageError(
    `${JSON.stringify(text)} is not a per cent.`,
    'Give a number from 0 to 100, or - for a note alone: parallel-cli progress 40 "wiring routes"',
  );
}
