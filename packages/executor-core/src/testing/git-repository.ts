import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Repository path to content. */
export type Files = Readonly<Record<string, string>>;

/** A real repository on branch `main` with one commit. Its path holds a space and a letter beyond ASCII. */
export interface TestRepository {
  /** Top level, with symbolic links resolved. */
  readonly root: string;
  /** Runs git in the root (or `cwd`); resolves with stdout without its last newline, rejects on a non-zero exit. */
  git(args: readonly string[], cwd?: string): Promise<string>;
  /** Writes `files` below `cwd` (default: the root) without committing them. */
  write(files: Files, cwd?: string): Promise<void>;
  /** Writes `files`, commits everything in the root and resolves with the commit id. */
  commit(files: Files, message: string): Promise<string>;
  /** Removes the repository and everything beside it in its temporary folder. */
  cleanup(): Promise<void>;
}

/**
 * Makes a repository in a temporary folder of its own and commits `files` to `main`.
 * From the first call on, this process (and so every git it starts) reads no personal or system-wide
 * git configuration.
 */
export async function makeRepository(
  files: Files = { 'README.md': '# test\n' },
): Promise<TestRepository> {
  process.env['GIT_CONFIG_GLOBAL'] = devNull;
  process.env['GIT_CONFIG_NOSYSTEM'] = '1';
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'parallel-')));
  const root = join(folder, 'my répo');
  await mkdir(root);
  const git = (args: readonly string[], cwd = root) => runGit(args, cwd);
  const write = (content: Files, cwd = root) => writeFiles(cwd, content);
  const commit = async (content: Files, message: string) => {
    await write(content);
    await git(['add', '--all']);
    await git(['commit', '--quiet', '--allow-empty', '--message', message]);
    return git(['rev-parse', 'HEAD']);
  };
  await git(['init', '--quiet', '--initial-branch=main']);
  await configure(git);
  await commit(files, 'first');
  return { root, git, write, commit, cleanup: () => removeFolder(folder) };
}

async function configure(git: TestRepository['git']): Promise<void> {
  await git(['config', 'user.name', 'Test']);
  await git(['config', 'user.email', 'test@example.com']);
  await git(['config', 'core.excludesFile', devNull]);
  await git(['config', 'core.attributesFile', devNull]);
  await git(['config', 'gc.auto', '0']);
}

async function writeFiles(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

function runGit(args: readonly string[], cwd: string): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const env = {
    ...Object.fromEntries(inherited),
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
  };
  return new Promise((resolve, reject) => {
    execFile('git', args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.replace(/\n$/, ''));
      else reject(new Error(`git ${args.join(' ')} in ${cwd}: ${stderr || error.message}`));
    });
  });
}

function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
