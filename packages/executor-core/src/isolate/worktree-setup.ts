import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';

import type { Failure } from '../model/failure';
import type { WorktreeSetup } from '../model/task';
import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';
import type { Git } from '../ports/git';
import type { ProcessRunner, RunningProcess } from '../ports/process-runner';
import { makeLinkFarm } from './link-farm';

export interface WorktreeSetupInput {
  readonly fs: FileSystem;
  readonly files: FileTree;
  readonly git: Git;
  readonly runner: Pick<ProcessRunner, 'start'>;
  /** Main checkout and worktree; absolute, links resolved. */
  readonly root: string;
  readonly worktree: string;
  readonly setup: WorktreeSetup;
  /** The whole environment of the commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives what the commands print; its folder exists. */
  readonly logPath: string;
  /** Told of every command, so that it can be journalled and stopped. */
  readonly onProcess?: (process: RunningProcess) => void;
}

/** How much of a failed command's output the failure carries, in characters. */
const TAIL_LENGTH = 4000;

/**
 * Makes a worktree ready: copies files, gives them second names, links folders, then runs the commands one
 * after the other until one fails. What is missing in the main checkout or exists in the worktree already is
 * passed over, so that doing it twice does no harm. `null` on success, else a failure of kind `setup-failed`.
 */
export async function setUpWorktree(input: WorktreeSetupInput): Promise<Failure | null> {
  const brought = await bringFiles(input);
  if (brought !== null) return brought;
  for (const command of input.setup.run) {
    const failure = await runCommand(input, command);
    if (failure !== null) return failure;
  }
  return null;
}

async function bringFiles(input: WorktreeSetupInput): Promise<Failure | null> {
  const touched: string[] = [];
  const steps = [
    ...input.setup.copy.map((path) => ({ step: `copy ${path}`, path, bring: copyPath })),
    ...(input.setup.hardlink ?? []).map((path) => ({
      step: `hardlink ${path}`,
      path,
      bring: hardLinkPath,
    })),
    ...input.setup.link.map((path) => ({ step: `link ${path}`, path, bring: linkPath })),
  ];
  for (const { step, path: written, bring } of steps) {
    const path = normalize(written).replace(/[/\\]+$/, '');
    const problem = await pathProblem(input, path);
    if (problem !== null) return failed(step, problem);
    if ((await input.files.kind(join(input.root, path))) === null) continue;
    touched.push(...(await bring(input, path)));
  }
  return touched.length === 0 ? null : refuseVisible(input, touched);
}

/** Returns the paths it may have written to, as do all steps. */
async function copyPath(input: WorktreeSetupInput, path: string): Promise<readonly string[]> {
  await input.fs.makeDir(dirname(join(input.worktree, path)));
  await input.files.copy(join(input.root, path), join(input.worktree, path));
  return [path];
}

async function hardLinkPath(input: WorktreeSetupInput, path: string): Promise<readonly string[]> {
  await input.fs.makeDir(dirname(join(input.worktree, path)));
  await input.files.hardLink(join(input.root, path), join(input.worktree, path));
  return [path];
}

async function linkPath(input: WorktreeSetupInput, path: string): Promise<readonly string[]> {
  const from = join(input.root, path);
  const to = join(input.worktree, path);
  const kind = await input.files.kind(from);
  if (basename(path) === 'node_modules' && kind === 'folder') return makeLinkFarm(input, path);
  if ((await input.files.kind(to)) !== null) return [];
  await input.fs.makeDir(dirname(to));
  await input.files.makeLink(from, to);
  return [path];
}

/** We write nothing outside the worktree, be it by `..` or through a link in it. */
async function pathProblem(input: WorktreeSetupInput, path: string): Promise<string | null> {
  const names = path.split(sep);
  if (isAbsolute(path) || names[0] === '..' || path === '.') {
    return `${path} must be a path below the repository's root.`;
  }
  if (names[0] === '.git') return 'The git folder is not set up by hand.';
  for (let depth = 1; depth < names.length; depth += 1) {
    const parent = names.slice(0, depth).join(sep);
    const kind = await input.files.kind(join(input.worktree, parent));
    if (kind !== null && kind !== 'folder') return `${parent} is no folder in the worktree.`;
  }
  return null;
}

/**
 * What git does not ignore would count as the agent's change, and a copied secret would land. So it is
 * taken away again. Who did not ask for it is not told.
 */
async function refuseVisible(
  { git, fs, worktree, setup }: WorktreeSetupInput,
  touched: readonly string[],
): Promise<Failure | null> {
  const options = ['--porcelain', '-z', '--untracked-files=all', '--no-renames'];
  const args = ['--literal-pathspecs', 'status', ...options, '--', ...touched];
  const status = await git.run(args, { cwd: worktree });
  if (status.exitCode !== 0) return failed('check what git ignores', status.stderr.trim());
  const visible = status.stdout.split('\0').filter((entry) => entry !== '');
  const [first] = visible;
  if (first === undefined) return null;
  for (const entry of visible) {
    if (entry.startsWith('??')) await fs.removeTree(join(worktree, entry.slice(3)));
  }
  if (setup.byDefault === true) return null;
  const path = first.slice(3);
  return failed(`bring ${path}`, notIgnored(path));
}

function notIgnored(path: string): string {
  return (
    `git does not ignore ${path}, so it would count as a change of every task. Commit a .gitignore ` +
    `that matches it, such as /${path} (with a "/" at its end it would not match a link).`
  );
}

async function runCommand(input: WorktreeSetupInput, command: string): Promise<Failure | null> {
  const { runner, fs, worktree, env, logPath } = input;
  const offset = (await fs.size(logPath)) ?? 0;
  try {
    const spec = { argv: ['sh', '-c', command], cwd: worktree, env, stdin: null };
    const process = await runner.start({ ...spec, outputPath: logPath });
    input.onProcess?.(process);
    const { code } = await process.exited;
    if (code === 0) return null;
  } catch (error) {
    return failed(command, error instanceof Error ? error.message : String(error));
  }
  const size = (await fs.size(logPath)) ?? offset;
  const output = (await fs.readFrom(logPath, Math.max(offset, size - 4 * TAIL_LENGTH))).toString();
  return failed(command, output.slice(-TAIL_LENGTH));
}

function failed(step: string, tail: string): Failure {
  return { kind: 'setup-failed', step, tail };
}
