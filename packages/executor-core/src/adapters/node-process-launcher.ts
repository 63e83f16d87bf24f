import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { markOf } from '../model/process';
import type { ProcessSpec } from '../ports/process-runner';
import { readOrNull } from './node-process-table';
import { brandOf, mayBrand } from './process-brand';
import { systemShell } from './system-shell';

type Program = Pick<ProcessSpec, 'argv' | 'cwd' | 'env'>;

export interface Launcher {
  /** Finds out what the system has, once. */
  prepare(): Promise<void>;
  /** The command line a program is really started with. */
  wordsFor(program: Program): Promise<readonly string[]>;
}

/** Starts programs as they are. */
export const plainLauncher: Launcher = {
  prepare: () => Promise.resolve(),
  wordsFor: ({ argv }) => Promise.resolve(argv),
};

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
  if (process.platform !== 'linux') return plainLauncher;
  let tools: Promise<LinuxTools> | undefined;
  // Looked for when they are first wanted: most commands start no program.
  const found = (): Promise<LinuxTools> => (tools ??= findTools());
  return {
    async prepare() {
      await found();
    },
    async wordsFor(program) {
      // A missing program is told apart here; the others would only say that it failed.
      if (!isStartable(program)) return program.argv;
      const { setpriv, prlimit } = await found();
      const mortal =
        setpriv === null ? program.argv : [setpriv, ...DIE_WITH_PARENT, ...program.argv];
      const mark = markOf(program.env);
      if (mark === null || prlimit === null) return mortal;
      return [prlimit, ...branding(brandOf(mark)), ...mortal];
    },
  };
}

/** Paths of the programs of util-linux that start another one; `null` where one is missing or does not work. */
interface LinuxTools {
  readonly setpriv: string | null;
  readonly prlimit: string | null;
}

async function findTools(): Promise<LinuxTools> {
  const mayBe = mayBrand(readOrNull('/proc/self/limits') ?? '');
  const [setpriv, prlimit] = await Promise.all([
    findTool('setpriv', DIE_WITH_PARENT),
    mayBe ? findTool('prlimit', branding(brandOf(ANY_MARK))) : null,
  ]);
  return { setpriv, prlimit };
}

const ANY_MARK = { run: 'PEXEC-0', task: 'none' };

function branding(brand: string): readonly string[] {
  return [`--fsize=${brand}:`, '--'];
}

/** Path of a program that starts another one, if these options work. */
async function findTool(name: string, options: readonly string[]): Promise<string | null> {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    // Other implementations of the name do not know the option; a sandbox may forbid the call.
    if (isProgram(path) && (await succeeds(path, ...options, '/bin/sh', '-c', ':'))) return path;
  }
  return null;
}

async function succeeds(...argv: readonly string[]): Promise<boolean> {
  const tried = systemShell().run({ argv, cwd: '/', env: {} });
  return (await tried.catch(() => null))?.exitCode === 0;
}

function isStartable({ argv: [program = ''], cwd, env }: Program): boolean {
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
