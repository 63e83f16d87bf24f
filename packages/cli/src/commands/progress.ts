import { isCostKnown } from '@parallel-executor/core';
import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { UsageError } from '../usage-error';

export interface ProgressOptions {
  /** Why the task needs no change. */
  readonly noop?: string;
  /** What its work has cost, in dollars. */
  readonly usd?: string;
  readonly tokens?: string;
}

/**
 * `progress`: called by an agent to say how far it is (`-` for a note without a number), what it has
 * cost, or that its task needs no change.
 */
export async function execute(
  context: Context,
  percentText: string | undefined,
  note: string | undefined,
  { noop, usd, tokens }: ProgressOptions = {},
): Promise<ExitCode> {
  if (noop !== undefined && percentText !== undefined) {
    throw new UsageError('A no-op has no per cent.', 'Give --noop "REASON" alone.');
  }
  const cost = { usd: amountOf('--usd', usd), tokens: amountOf('--tokens', tokens) };
  const tellsCost = isCostKnown(cost);
  const tellsProgress = noop === undefined && (!tellsCost || percentText !== undefined);
  const percent = tellsProgress ? percentOf(percentText) : null;
  const workspace = await context.openWorkspace();
  if (tellsCost) await workspace.declareCost(cost);
  if (noop !== undefined) await workspace.declareNoop(noop);
  if (tellsProgress) await workspace.reportProgress(percent, note ?? '');
  return Exit.ok;
}

function amountOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(
    `${JSON.stringify(text)} is no amount for ${name}.`,
    'For example: parallel-cli progress --usd 0.42 --tokens 12000',
  );
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
