import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEnvironment } from '../isolate/git-env';
import type { Toolbox } from './toolbox';

/** What the helpers of the ladder work with. */
export interface LadderTools extends Pick<Toolbox, 'git' | 'fs' | 'runner' | 'clock' | 'env'> {
  readonly root: string;
  readonly commonDir: string;
}

/** Calls `body` with a new private folder, which is removed afterwards. */
export async function withFolder<T>(
  fs: Toolbox['fs'],
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(tmpdir(), `parallel-ladder-${randomUUID()}`);
  await fs.makeDir(folder);
  try {
    return await body(folder);
  } finally {
    await fs.removeTree(folder);
  }
}

/**
 * Runs a program in a folder of `withFolder`. Resolves with `true` when it ended well in time; `false`
 * also when it is not on PATH. `extra` goes on top of the environment.
 */
export async function runHelper(
  { runner, clock, env }: Pick<LadderTools, 'runner' | 'clock' | 'env'>,
  argv: readonly string[],
  cwd: string,
  limitMs: number,
  extra: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const outputPath = join(cwd, '.parallel-output');
  const spec = { argv, cwd, outputPath, stdin: null, ownFolder: cwd };
  try {
    const process = await runner.start({
      ...spec,
      env: { ...checkEnvironment(env, ''), ...extra },
    });
    const cancel = clock.after(limitMs, () => {
      process.signal('SIGKILL');
    });
    const { code } = await process.exited;
    cancel();
    return code === 0;
  } catch {
    // The port has one reason to reject: the program cannot be started.
    return false;
  }
}
