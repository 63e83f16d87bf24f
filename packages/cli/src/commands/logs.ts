import { readFile } from 'node:fs/promises';
import type { RunReader } from '@parallel-executor/core';
import type { Context } from '../context';
import { requireReader } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { followFile } from '../follow-file';
import { requireTask } from '../require-task';
import { UsageError } from '../usage-error';

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  readonly attempt?: number | undefined;
  readonly run?: string | undefined;
}

type Transcript = Awaited<ReturnType<RunReader['transcripts']>>[number];

/** `logs`: what an agent printed; without a task, which logs there are. */
export async function execute(
  context: Context,
  task: string | undefined,
  options: LogsOptions,
): Promise<ExitCode> {
  const workspace = await context.openWorkspace();
  const reader = await requireReader(workspace, options.run);
  if (task === undefined) return list(context, reader, options);
  const transcript = choose(await reader.transcripts(requireTask(reader, task)), options.attempt);
  if (transcript === null) {
    const which = options.attempt === undefined ? '' : ` attempt ${options.attempt} of`;
    context.narrate(`There is no log of${which} ${task} yet.`);
    return Exit.failed;
  }
  context.narrate(`${task}, attempt ${transcript.attempt}: ${transcript.path}`);
  if (options.follow === true) return followFile(context, transcript.path, () => isOpen(reader));
  context.deps.stdout.write(await readFile(transcript.path, 'utf8'));
  return Exit.ok;
}

async function list(context: Context, reader: RunReader, options: LogsOptions): Promise<ExitCode> {
  if (options.follow === true)
    throw new UsageError('Follow which task?', 'Name one: parallel-cli logs TASK --follow');
  const transcripts = await reader.transcripts();
  if (transcripts.length === 0) context.narrate('No agent has printed anything yet.');
  context.answer(
    transcripts.map(({ task, attempt, path }) => `${task}  attempt ${attempt}  ${path}`),
  );
  return Exit.ok;
}

/** The wanted attempt, or the latest. */
function choose(
  transcripts: readonly Transcript[],
  attempt: number | undefined,
): Transcript | null {
  const sorted = [...transcripts].sort((a, b) => b.attempt - a.attempt);
  const wanted = attempt ?? sorted[0]?.attempt;
  return sorted.find((transcript) => transcript.attempt === wanted) ?? null;
}

async function isOpen(reader: RunReader): Promise<boolean> {
  return (
    (await reader.ownerAlive()) &&
    !(await reader.events()).some(({ type }) => type === 'run:finished')
  );
}
