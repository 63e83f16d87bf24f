import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunReader, Workspace } from '@parallel-executor/core';
import type { Deps } from './deps';
import { goalText, NO_RUN, NO_RUN_FIX } from './messages';
import { UsageError } from './usage-error';
import type { Capabilities, ColorChoice } from './ui/capabilities';
import { capabilitiesOf } from './ui/capabilities';

/** What every command gets: the world, the global options, and the few things all of them do. */
export interface Context {
  readonly deps: Deps;
  readonly color: ColorChoice;
  /** Absolute. */
  readonly cwd: string;
  openWorkspace(): Promise<Workspace>;
  /** Writes lines of the answer to stdout. */
  answer(lines: string | readonly string[]): void;
  /** Writes the answer as one JSON object. */
  answerJson(value: object): void;
  /** Writes a line of narration to stderr. */
  narrate(text: string): void;
  /** What stdout can show. */
  stdoutCapabilities(): Capabilities;
}

/** The context of one invocation; nothing is opened or checked yet. */
export function contextOf(
  deps: Deps,
  options: { readonly color: ColorChoice; readonly cwd?: string | undefined },
): Context {
  const cwd = resolve(deps.cwd, options.cwd ?? '.');
  return {
    deps,
    color: options.color,
    cwd,
    openWorkspace() {
      if (options.cwd !== undefined && !isFolder(cwd)) {
        throw new UsageError(`There is no folder ${cwd}.`, 'Give an existing folder to --cwd.');
      }
      return deps.openWorkspace(cwd);
    },
    answer(lines) {
      const all = typeof lines === 'string' ? [lines] : lines;
      deps.stdout.write(all.map((line) => `${line}\n`).join(''));
    },
    answerJson(value) {
      deps.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    narrate(text) {
      deps.stderr.write(`${text}\n`);
    },
    stdoutCapabilities: () => capabilitiesOf(deps.stdout, deps.env, options.color),
  };
}

/**
 * The plan file meant by a positional argument and `--plan`; `undefined` for the workspace's own.
 * Throws `UsageError` for a goal, because there is no planner agent.
 */
export function planFileOf(
  context: Context,
  positional: string | undefined,
  option: string | undefined,
): string | undefined {
  if (positional === undefined) return option;
  const looksLikePlan = /\.(?:ya?ml|json)$/i.test(positional);
  if (!looksLikePlan || !isFile(resolve(context.cwd, positional))) {
    const { message, fix } = goalText(positional);
    if (!looksLikePlan) throw new UsageError(message, fix);
    throw new UsageError(`There is no plan file ${positional}.`, 'Check the path, or give --plan.');
  }
  if (option !== undefined && option !== positional) {
    throw new UsageError(`Two plans are given: ${positional} and ${option}.`, 'Give one of them.');
  }
  return positional;
}

/** The reader of a run, the current one by default. Throws `UsageError` when there is none. */
export async function requireReader(workspace: Workspace, run?: string): Promise<RunReader> {
  const reader = await workspace.reader(run);
  if (reader !== null) return reader;
  if (run === undefined) throw new UsageError(NO_RUN, NO_RUN_FIX);
  const known = (await workspace.runs()).slice(0, 5);
  const fix = known.length === 0 ? NO_RUN_FIX : `Known runs: ${known.join(', ')}`;
  throw new UsageError(`There is no run ${run}.`, fix);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
