import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Projects affected since `base` (a git revision; `undefined`: the workspace's default base), asked of
 * Nx's own command: the devkit has no function for it. Throws when the command fails.
 */
export function affectedProjects(
  workspaceRoot: string,
  base: string | undefined,
): ReadonlySet<string> {
  const args = [
    'show',
    'projects',
    '--affected',
    '--json',
    ...(base === undefined ? [] : [`--base=${base}`]),
  ];
  const output = execFileSync(process.execPath, [nxProgram(workspaceRoot), ...args], {
    cwd: workspaceRoot,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const names: unknown = JSON.parse(output);
  if (!Array.isArray(names)) throw new Error(`nx ${args.join(' ')} did not answer with a list.`);
  return new Set(names.filter((name) => typeof name === 'string'));
}

function nxProgram(workspaceRoot: string): string {
  const manifest = require.resolve('nx/package.json', { paths: [workspaceRoot, __dirname] });
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { nx: string } };
  return join(dirname(manifest), bin.nx);
}
