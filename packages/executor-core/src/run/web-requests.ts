import type { Clock } from '../ports/clock';
import type { ProcessRunner } from '../ports/process-runner';
import type { ProgramEnd } from './run-program';
import { runProgram } from './run-program';

export interface WebContext {
  readonly runner: Pick<ProcessRunner, 'start'>;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder inside the repository. */
  readonly cwd: string;
  /** File that receives what `gh` prints. */
  readonly logPath: string;
}

export interface WebRequest {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

/** A pull request, or why there is none. */
export type Opened = { readonly url: string } | { readonly reason: string };

const PATIENCE_MS = 60_000;

/**
 * Opens pull requests through GitHub's `gh`, with the account it is logged in to. One that exists for
 * the head branch, whatever became of it, is taken for the answer: none is opened twice.
 */
export async function openOnWeb(context: WebContext, request: WebRequest): Promise<Opened> {
  const status = await gh(context, ['auth', 'status']);
  if (status === null) return { reason: 'gh is not installed' };
  if (status.code !== 0) return { reason: 'gh is not logged in (gh auth login)' };
  const { head, base, title, body } = request;
  const query = ['--head', head, '--state', 'all', '--limit', '1', '--json', 'url'];
  const listed = await gh(context, ['pr', 'list', ...query]);
  const known = listed?.code === 0 ? urlIn(listed.output) : null;
  if (known !== null) return { url: known };
  const texts = ['--title', title, '--body', body];
  const made = await gh(context, ['pr', 'create', '--head', head, '--base', base, ...texts]);
  const url = made?.code === 0 ? urlIn(made.output) : null;
  if (url !== null) return { url };
  const said = made?.output.trim().split('\n').at(-1) ?? '';
  return { reason: `gh could not open it${said === '' ? '' : `: ${said}`}` };
}

function urlIn(output: string): string | null {
  return /https?:\/\/[^\s"]+/.exec(output)?.[0] ?? null;
}

/** `null`: it cannot be started. */
function gh(
  { runner, clock, env, cwd, logPath }: WebContext,
  args: readonly string[],
): Promise<ProgramEnd | null> {
  const given = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const quiet = { GH_PROMPT_DISABLED: '1', GH_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' };
  const own = { ...Object.fromEntries(given), ...quiet };
  const spec = { argv: ['gh', ...args], cwd, env: own, outputPath: logPath };
  return runProgram({ runner, clock }, spec, PATIENCE_MS);
}
