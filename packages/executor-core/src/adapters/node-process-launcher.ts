import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { ProcessSpec } from '../ports/process-runner';

/** The command line a program is really started with. */
export type Launcher = (spec: Pick<ProcessSpec, 'argv' | 'cwd' | 'env'>) => readonly string[];

/** Starts programs as they are. */
export const plainLauncher: Launcher = ({ argv }) => argv;

/** `setpriv` becomes the program by exec: same pid, same group, same exit code. */
const DIE_WITH_PARENT = ['--pdeathsig', 'KILL', '--'];
const SETPRIV_FOLDERS = ['/usr/bin', '/bin'];

/**
 * Programs die with this process, however it ends (PR_SET_PDEATHSIG of prctl(2)), where the system
 * has util-linux' `setpriv`; elsewhere the plain launcher. Costs one exec more, between 1 and 2 ms.
 * Only the program itself dies; what it started is found by the recovery of its run.
 */
export function mortalLauncher(): Launcher {
  let setpriv: string | null | undefined = process.platform === 'linux' ? undefined : null;
  return (spec) => {
    // Looked for when it is first wanted: most commands start no program.
    if (setpriv === undefined) setpriv = findSetpriv();
    // A missing program is told apart here; setpriv would only say that it failed.
    if (setpriv === null || !isStartable(spec)) return spec.argv;
    return [setpriv, ...DIE_WITH_PARENT, ...spec.argv];
  };
}

function findSetpriv(): string | null {
  for (const folder of SETPRIV_FOLDERS) {
    const path = join(folder, 'setpriv');
    if (!isProgram(path)) continue;
    try {
      // Other implementations of the name do not know the option; a sandbox may forbid the call.
      execFileSync(path, [...DIE_WITH_PARENT, '/bin/sh', '-c', ':'], { stdio: 'ignore' });
      return path;
    } catch {
      // The next one may.
    }
  }
  return null;
}

function isStartable({ argv: [program = ''], cwd, env }: Parameters<Launcher>[0]): boolean {
  if (program.includes('/')) return isProgram(resolve(cwd, program));
  const path = env['PATH'] ?? '';
  return path.split(delimiter).some((folder) => isProgram(resolve(cwd, folder, program)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
