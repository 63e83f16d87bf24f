import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { markOf } from '../model/process';
import type { ProcessSpec } from '../ports/process-runner';
import { readOrNull } from './node-process-table';
import { brandOf, mayBrand } from './process-brand';

/** The command line a program is really started with. */
export type Launcher = (spec: Pick<ProcessSpec, 'argv' | 'cwd' | 'env'>) => readonly string[];

/** Starts programs as they are. */
export const plainLauncher: Launcher = ({ argv }) => argv;

/** Both become the program by exec: same pid, same group, same exit code. */
const DIE_WITH_PARENT = ['--pdeathsig', 'KILL', '--'];
const FOLDERS = ['/usr/bin', '/bin'];

/**
 * Programs die with this process, however it ends (PR_SET_PDEATHSIG of prctl(2)), where the system
 * has util-linux' `setpriv`, and those of an attempt carry its brand where it has `prlimit`; elsewhere as
 * the plain launcher. Each costs one exec more, between 1 and 2 ms. Only the program itself dies; what it
 * started is found by the recovery of its run.
 */
export function mortalLauncher(): Launcher {
  const isLinux = process.platform === 'linux';
  let setpriv: string | null | undefined = isLinux ? undefined : null;
  let prlimit: string | null | undefined = isLinux ? undefined : null;
  return (spec) => {
    // A missing program is told apart here; the others would only say that it failed.
    if (!isLinux || !isStartable(spec)) return spec.argv;
    // Looked for when they are first wanted: most commands start no program.
    if (setpriv === undefined) setpriv = findTool('setpriv', DIE_WITH_PARENT);
    const mortal = setpriv === null ? spec.argv : [setpriv, ...DIE_WITH_PARENT, ...spec.argv];
    const mark = markOf(spec.env);
    if (mark === null) return mortal;
    const branding = [`--fsize=${brandOf(mark)}:`, '--'];
    if (prlimit === undefined) {
      const mayBe = mayBrand(readOrNull('/proc/self/limits') ?? '');
      prlimit = mayBe ? findTool('prlimit', branding) : null;
    }
    return prlimit === null ? mortal : [prlimit, ...branding, ...mortal];
  };
}

/** Path of a program of util-linux that starts another one, if these options work. */
function findTool(name: string, options: readonly string[]): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    if (!isProgram(path)) continue;
    try {
      // Other implementations of the name do not know the option; a sandbox may forbid the call.
      execFileSync(path, [...options, '/bin/sh', '-c', ':'], { stdio: 'ignore' });
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
