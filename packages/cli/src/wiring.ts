import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Context } from './context';
import type { ExitCode } from './exit-codes';
import { PROGRESS_CHOICES } from './ui/progress-choice';

/** Makes a command with an example on top of its help. */
export type Add = (name: string, summary: string, ...examples: readonly string[]) => Command;

export interface Wiring {
  readonly add: Add;
  readonly context: () => Context;
  /** Receives the exit code of the command that ran. */
  readonly finish: (code: ExitCode) => void;
}

/** Adds commands to `parent`. */
export function adder(parent: Command): Add {
  return (name, summary, ...examples) =>
    parent
      .command(name)
      .description(summary)
      .addHelpText('before', `For example:\n${examples.map((line) => `  ${line}\n`).join('')}`);
}

/** `--progress`, for the commands that drive a run. */
export function progressOption(): Option {
  return new Option(
    '--progress <how>',
    'tty paints a panel, plain prints lines, json prints the events; auto decides by the terminal',
  )
    .choices([...PROGRESS_CHOICES])
    .default('auto');
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('Give a whole number of at least 1.');
  return count;
}
