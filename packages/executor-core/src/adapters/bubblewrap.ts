import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Confinement, Sandbox } from '../ports/sandbox';

const run = promisify(execFile);

const BWRAP = 'bwrap';
/** By these a program is asked to end. */
const ENDING = 'INT,TERM,HUP';
/**
 * `bwrap` must not hear what its program is asked, or it ends first and takes the program with it, without
 * grace. What is ignored stays ignored in children, so `env` of coreutils undoes it inside.
 */
const DEAF = ['/bin/sh', '-c', `trap '' ${ENDING.replaceAll(',', ' ')}; exec "$@"`, 'sh'];
const HEARING = ['/usr/bin/env', `--default-signal=${ENDING}`, '--'];
const PRIVATE = [
  ...['--die-with-parent', '--unshare-pid', '--ro-bind', '/', '/'],
  ...['--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--setenv', 'TMPDIR', '/tmp'],
];
/** How long the system may take to say whether it can. */
const TRIAL_MS = 10_000;

/** Bubblewrap (bwrap(1)), on Linux with user namespaces or as root. */
export function bubblewrap(): Sandbox {
  let asked: Promise<string | null> | null = null;
  return {
    name: 'bubblewrap',
    problem: () => (asked ??= tryIt()),
    wrap: (argv, confinement) => [
      ...DEAF,
      BWRAP,
      ...PRIVATE,
      ...mounts(confinement),
      ...['--chdir', confinement.folder, '--', ...HEARING, ...argv],
    ],
  };
}

/** Later ones cover earlier ones: so a folder comes before what lies in it. */
function mounts(confinement: Confinement): readonly string[] {
  const { writable, readOnly, replaced, shown, emptied } = confinement;
  const own = [
    ...readOnly.map((path) => ({ option: '--ro-bind', path })),
    ...writable.map((path) => ({ option: '--bind', path })),
  ].sort((one, other) => depthOf(one.path) - depthOf(other.path));
  return [
    ...own.flatMap(({ option, path }) => [option, path, path]),
    ...shown.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    ...replaced.flatMap(({ from, to }) => ['--bind', from, to]),
    ...emptied.flatMap((path) => ['--tmpfs', path]),
  ];
}

function depthOf(path: string): number {
  return path.split('/').length;
}

async function tryIt(): Promise<string | null> {
  if (process.platform !== 'linux') return 'bubblewrap is there for Linux only';
  const [program, ...args] = [...DEAF, BWRAP, ...PRIVATE, '--', ...HEARING, '/bin/sh', '-c', ':'];
  try {
    await run(program, args, { timeout: TRIAL_MS });
    return null;
  } catch (error) {
    const said =
      typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : '';
    const line = String(said)
      .trim()
      .replace(/\n[^]*$/, '');
    if (/not found/.test(line)) return 'bwrap (package bubblewrap) was not found';
    return `bwrap cannot make a sandbox here: ${line || String(error)}`;
  }
}
