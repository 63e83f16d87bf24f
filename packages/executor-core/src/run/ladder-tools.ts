import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEnvironment } from '../isolate/git-env';
import { runProgram } from './run-program';
import type { Toolbox } from './toolbox';

/** What the helpers of the ladder work with. */
export interface LadderTools extends Pick<Toolbox, 'git' | 'fs' | 'runner' | 'clock' | 'env'> {
  readonly root: string;
  readonly commonDir: string;
}

/** Calls `body` with a new private folder, which is removed afterwards, or when its process was killed. */
export async function withFolder<T>(
  fs: Toolbox['fs'],
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(tmpdir(), `parallel-ladder-${process.pid}-${randomUUID()}`);
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
export async function runTool(
  tools: Pick<LadderTools, 'runner' | 'clock' | 'env'>,
  argv: readonly string[],
  cwd: string,
  limitMs: number,
  extra: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const spec = { argv, cwd, outputPath: join(cwd, '.parallel-output'), ownFolder: cwd };
  const ended = await runProgram(
    tools,
    { ...spec, env: { ...checkEnvironment(tools.env, ''), ...extra } },
    limitMs,
  );
  return ended?.code === 0;
}
