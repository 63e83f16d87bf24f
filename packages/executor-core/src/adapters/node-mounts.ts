import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Mounts, OverlayMount } from '../ports/mounts';
import { unescapeMountPath } from './node-disk';
import { ShellLauncher } from './shell-launcher';
import { systemShell } from './system-shell';

/** Would end an option of mount(8), or a folder of several in `lowerdir`. */
const SPECIAL = /[,:\\"\n]/;
/** How long the system may take. */
const LIMIT_MS = 30_000;

/**
 * mount(8) and umount(8) on Linux, started from a shell that stays: two hundred overlays are four hundred
 * processes, and the main thread waits for the start of each.
 */
export function nodeMounts(): Mounts {
  const asked = new Map<string, Promise<string | null>>();
  return {
    problem(folder) {
      const known = asked.get(folder) ?? tryIt(folder);
      asked.set(folder, known);
      return known;
    },
    overlay,
    below,
    unmount,
  };
}

/**
 * With `redirect_dir` a folder of the lower tree can be renamed; without it programs are told to copy it
 * themselves (EXDEV), which few do.
 */
async function overlay({ lower, changes, work, at }: OverlayMount): Promise<void> {
  const special = [lower, changes, work].find((path) => SPECIAL.test(path));
  if (special !== undefined) throw new Error(`${special} holds a character mount cannot take`);
  const options = [
    'redirect_dir=on',
    `lowerdir=${lower}`,
    `upperdir=${changes}`,
    `workdir=${work}`,
  ];
  await system('mount', ['-t', 'overlay', 'overlay', '-o', options.join(','), at]);
}

async function unmount(at: string): Promise<void> {
  // One mounted over another is found again.
  while ((await below(at)).includes(at)) {
    await system('umount', [at]).catch(() => system('umount', ['-l', at]));
  }
}

async function below(folder: string): Promise<readonly string[]> {
  const table = await fs.promises.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return mountPlaces(table).filter((at) => at === folder || at.startsWith(`${folder}/`));
}

/** Where something is mounted, from the text of `/proc/self/mountinfo`; see proc(5). */
export function mountPlaces(mountinfo: string): readonly string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const place = line.split(' ', 5)[4];
    return place === undefined ? [] : [unescapeMountPath(place)];
  });
}

async function tryIt(folder: string): Promise<string | null> {
  if (process.platform !== 'linux') return 'overlays are there for Linux only';
  if (process.getuid?.() !== 0) return 'only root may mount an overlay';
  let trial: string | null = null;
  try {
    trial = await fs.promises.mkdtemp(join(folder, 'probe-'));
    const [lower, changes, work, at] = ['lower', 'changes', 'work', 'at'].map((name) =>
      join(String(trial), name),
    ) as [string, string, string, string];
    for (const path of [lower, changes, work, at]) await fs.promises.mkdir(path);
    await overlay({ lower, changes, work, at });
    await unmount(at);
    return null;
  } catch (error) {
    return `an overlay cannot be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    if (trial !== null) await fs.promises.rm(trial, { recursive: true, force: true });
  }
}

/** Rejects with what the program said. */
async function system(program: string, args: readonly string[]): Promise<void> {
  const call = { argv: [program, ...args], cwd: '/', env: {} };
  if (!ShellLauncher.accepts(call)) throw new Error(`${args.join(' ')} holds a line end`);
  const { exitCode, stderr } = await inTime(program, systemShell().run(call));
  if (exitCode !== 0) throw new Error(stderr.trim() || `${program} ended with ${exitCode}`);
}

/** The program goes on: a mount that waits for its device cannot be stopped. */
async function inTime<T>(program: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${program} did not end within ${LIMIT_MS / 1000} s`));
    }, LIMIT_MS);
  });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
