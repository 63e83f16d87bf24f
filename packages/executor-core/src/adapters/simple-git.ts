import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import limitConcurrency from 'p-limit';
import type * as SimpleGit from 'simple-git';

import { UserError } from '../model/user-error';
import { type Git, GitError, type GitObjects, type GitOptions, type GitResult } from '../ports/git';
import { type ShellCall, ShellLauncher } from './shell-launcher';
import { gitObjects } from './git-objects';

/** Git processes at one time; more only compete for the disk. */
const MAX_PROCESSES = 32;

/** Nothing the repository or an agent configured may start a program or work behind our back. */
const NEUTRAL_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
  // Names that are `.git` to another file system are refused here as well.
  'core.protectHFS=true',
  'core.protectNTFS=true',
];

/** `GIT_*` names taken over from outside: they choose configuration files, not repositories. */
const INHERITED = new Set(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM']);
/** Names beside `GIT_*` that choose a program (or, with `PREFIX`, a configuration file) for git. */
const PROGRAM_CHOICES = new Set(['EDITOR', 'VISUAL', 'PAGER', 'PREFIX', 'SSH_ASKPASS']);

/** Commands that only look: one that was killed is asked again. */
const READING = new Set([
  'cat-file',
  'config',
  'diff-index',
  'for-each-ref',
  'ls-files',
  'merge-base',
  'rev-list',
  'rev-parse',
  'status',
  'symbolic-ref',
]);

/** simple-git's protections against foreign arguments; ours come from this package only. */
const UNSAFE = {
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeEditor: true,
};

/**
 * Git over simple-git. `outside` is the environment to start from (default: this process's).
 *
 * Exit codes: a missing `cwd` is 128 with git's usual words; a git ended by a signal is -1, and one that
 * only looks is asked once more before. Rejects
 * with `UserError` when git is not installed. Output is decoded as UTF-8. Every git runs in a session of
 * its own (where the system can), so that Ctrl-C in the terminal reaches us and not a git half-way
 * through its work. A call without input goes through `ShellLauncher`, the others through simple-git.
 */
export function gitAdapter(outside: Readonly<NodeJS.ProcessEnv> = process.env): Git {
  const limit = limitConcurrency(MAX_PROCESSES);
  const neutral = neutralEnvironment(outside);
  const binary = gitBinary(outside);
  const config = NEUTRAL_CONFIG.flatMap((setting) => ['-c', setting]);
  const launcher = process.platform === 'win32' ? null : new ShellLauncher(neutral);
  const runOnceOnly = (args: readonly string[], options: GitOptions) =>
    limit(() => {
      const { cwd, env = {} } = options;
      const call = { argv: ['git', ...config, ...args], cwd, env };
      return launcher !== null && options.stdin === undefined && ShellLauncher.accepts(call)
        ? launch(launcher, call)
        : runOnce(binary, args, options, { ...neutral, ...env });
    });
  const run = async (args: readonly string[], options: GitOptions) => {
    const result = await runOnceOnly(args, options);
    return result.exitCode === -1 && READING.has(args[0] ?? '')
      ? runOnceOnly(args, options)
      : result;
  };
  const text = async (args: readonly string[], options: GitOptions) => {
    const result = await run(args, options);
    if (result.exitCode !== 0) throw new GitError(args, result);
    return result.stdout.replace(/\n$/, '');
  };
  const known = new Map<string, GitObjects>();
  const objects: Git['objects'] = (root, env = {}) => {
    const key = JSON.stringify([root, env]);
    const askOnce = (args: readonly string[]) => text(args, { cwd: root, env });
    const found = known.get(key) ?? gitObjects(root, config, { ...neutral, ...env }, askOnce);
    known.set(key, found);
    return found;
  };
  return { run, text, objects };
}

async function launch(launcher: ShellLauncher, call: ShellCall): Promise<GitResult> {
  if (!isFolder(call.cwd)) return missingFolder(call.cwd);
  const result = await launcher.run(call);
  // What a shell says of a program it does not find.
  if (result.exitCode === 127 && /not found/i.test(result.stderr)) throw gitIsMissing();
  return result;
}

/**
 * One instance per call: simple-git takes input, permitted variables and the error handler per
 * instance, and only the handler sees the exit code and stderr. It is told that nothing is an error,
 * because by itself it hides a non-zero exit with an empty stderr (`merge-tree` with a conflict).
 */
async function runOnce(
  binary: GitBinary,
  args: readonly string[],
  options: GitOptions,
  env: Readonly<Record<string, string>>,
): Promise<GitResult> {
  if (!isFolder(options.cwd)) return missingFolder(options.cwd);
  const seen: { exitCode: number | null; stderr: string } = { exitCode: null, stderr: '' };
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few calls come here
  const { simpleGit } = require('simple-git') as typeof SimpleGit;
  const git = simpleGit({
    baseDir: options.cwd,
    binary,
    config: NEUTRAL_CONFIG,
    unsafe: UNSAFE,
    allowEnvironment: Object.keys(env),
    // Without a buffer, be it an empty one, stdin stays open and a git that reads it never ends.
    input: () => Buffer.from(options.stdin ?? ''),
    // "exit" may come before the last output was read; "close" does not.
    completion: { onClose: true, onExit: false },
    errors: (_error, result) => {
      seen.exitCode = result.exitCode;
      seen.stderr = Buffer.concat(result.stdErr).toString();
      return undefined;
    },
  })
    .env(env)
    .outputHandler(signalOutput);
  const stdout = await git.raw([...args]);
  if (couldNotStart(seen)) {
    if (!isFolder(options.cwd)) return missingFolder(options.cwd);
    throw gitIsMissing();
  }
  return { exitCode: seen.exitCode ?? -1, stdout, stderr: seen.stderr };
}

/** simple-git waits 50 ms more for a git that printed nothing; an empty chunk tells it not to. */
function signalOutput(_command: string, stdout: NodeJS.ReadableStream): void {
  process.nextTick(() => stdout.emit('data', Buffer.alloc(0)));
}

function neutralEnvironment(outside: Readonly<NodeJS.ProcessEnv>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(outside)) {
    const guarded = name.startsWith('GIT_') || PROGRAM_CHOICES.has(name);
    if (value !== undefined && (!guarded || INHERITED.has(name))) kept[name] = value;
  }
  return { ...kept, ...NEUTRAL_ENV };
}

const NEUTRAL_ENV = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_EDITOR: ':',
};

type GitBinary = 'git' | ['setsid', 'git'];

function gitBinary(outside: Readonly<NodeJS.ProcessEnv>): GitBinary {
  const folders = (outside['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, 'setsid'))) ? ['setsid', 'git'] : 'git';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** -2 comes from Node (no such program), 127 from setsid (git not found by it). */
function couldNotStart(seen: {
  readonly exitCode: number | null;
  readonly stderr: string;
}): boolean {
  return seen.exitCode === -2 || (seen.exitCode === 127 && seen.stderr.startsWith('setsid:'));
}

function missingFolder(cwd: string): GitResult {
  const stderr = `fatal: cannot change to '${cwd}': No such file or directory\n`;
  return { exitCode: 128, stdout: '', stderr };
}

function gitIsMissing(): UserError {
  return new UserError('environment', 'git was not found on PATH.', 'Install git 2.38 or newer.');
}
