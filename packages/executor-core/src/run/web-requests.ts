import type { Clock } from '../ports/clock';
import type { ProcessRunner } from '../ports/process-runner';

export interface WebContext {
  readonly runner: ProcessRunner;
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
async function gh(
  { runner, clock, env, cwd, logPath }: WebContext,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string } | null> {
  const chunks: Buffer[] = [];
  const given = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const quiet = { GH_PROMPT_DISABLED: '1', GH_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' };
  const started = await runner
    .start({
      argv: ['gh', ...args],
      cwd,
      env: { ...Object.fromEntries(given), ...quiet },
      stdin: null,
      outputPath: logPath,
      onOutput: (chunk) => {
        chunks.push(chunk);
      },
    })
    .catch(() => null);
  if (started === null) return null;
  const cancel = clock.after(PATIENCE_MS, () => {
    started.signal('SIGKILL');
  });
  const { code } = await started.exited;
  cancel();
  return { code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') };
}
