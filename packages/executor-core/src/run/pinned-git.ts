import { join } from 'node:path';
import type { RunId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import type { Git, GitOptions } from '../ports/git';
import { GitError } from '../ports/git';
import { runPaths } from '../store/run-dir';
import type { Engine } from './engine';
import type { ConfigEntry } from './pinned-config';
import { configText, parseConfigList } from './pinned-config';
import type { Toolbox } from './toolbox';

/** What all worktrees share and must go on sharing; the rest of git's common folder is left out. */
const SHARED = ['objects', 'refs', 'packed-refs', 'logs', 'reftable', 'shallow', 'worktrees'];
/** Rules of the user that are no configuration; taken as they are when the run starts. */
const COPIED = ['info/exclude', 'info/attributes'];
const GLOBAL_SCOPES: ReadonlySet<string> = new Set(['system', 'global']);
/** These ask where the repository lies, or about all its worktrees: they need the real folder. */
const ABOUT_THE_PLACE: ReadonlySet<string> = new Set([
  'rev-parse',
  'worktree',
  'config',
  'version',
]);

/**
 * The engine with a git that is deaf to what agents configure. Agents can write git's configuration, its
 * hooks and its attributes, which all worktrees share, and can point their worktree's `.git` elsewhere.
 * Filters, merge drivers and remotes named there are programs, which our git would run with our rights.
 *
 * So git gets a common folder of ours (`GIT_COMMON_DIR`) for the length of a run: its configuration is a
 * copy made before the first agent started, it has no hooks, and objects and refs are links to the real
 * ones. What the user configured, such as git-lfs, goes on working. Processes that share a run share the
 * copy. Without symbolic links (Windows) the engine stays as it is.
 */
export async function withPinnedGit(engine: Engine, run: RunId): Promise<Engine> {
  if (process.platform === 'win32') return engine;
  const { tools, repository } = engine;
  const folder = join(runPaths(repository.root, run).dir, 'git');
  if (!(await tools.fs.exists(join(folder, 'config')))) await pin(engine, folder);
  const env = {
    GIT_COMMON_DIR: folder,
    GIT_CONFIG_GLOBAL: join(folder, 'global'),
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const git = pinnedGit(tools.git, env);
  git.objects(repository.root).prepare('read', 'writeTree', 'moveRefs');
  return { ...engine, tools: { ...tools, git } };
}

async function pin(
  { tools: { fs, files }, repository: { commonDir }, gitConfig }: Engine,
  folder: string,
): Promise<void> {
  await fs.makeDir(join(folder, 'info'));
  const entries = parseConfigList(await gitConfig());
  for (const name of COPIED) await copyText(fs, join(commonDir, name), join(folder, name));
  for (const name of SHARED) {
    const [real, link] = [join(commonDir, name), join(folder, name)];
    // A file that is missing today may be there tomorrow; a folder may not be made through a dangling link.
    const wanted = (await files.kind(real)) !== null;
    if (wanted && (await files.kind(link)) === null) await makeLink(files, real, link);
  }
  await fs.createExclusive(join(folder, 'global'), configText(entries.filter(isGlobal)));
  // Last: with it the copy is complete.
  await fs.createExclusive(join(folder, 'config'), configText(entries.filter(isLocal)));
}

function isGlobal({ scope }: ConfigEntry): boolean {
  return GLOBAL_SCOPES.has(scope);
}

function isLocal({ scope }: ConfigEntry): boolean {
  return scope === 'local';
}

async function copyText(fs: FileSystem, from: string, to: string): Promise<void> {
  const text = await fs.readText(from);
  if (text !== null) await fs.createExclusive(to, text);
}

/** Another process of the same run may be quicker. */
async function makeLink(files: Toolbox['files'], real: string, link: string): Promise<void> {
  await files.makeLink(real, link).catch(async (error: unknown) => {
    if ((await files.kind(link)) === null) throw error;
  });
}

function pinnedGit(git: Git, pinned: Readonly<Record<string, string>>): Git {
  const within = (args: readonly string[], options: GitOptions): GitOptions =>
    ABOUT_THE_PLACE.has(commandOf(args))
      ? options
      : { ...options, env: { ...pinned, ...options.env } };
  return {
    run: (args, options) => git.run(args, within(args, options)),
    async text(args, options) {
      const result = await git.run(args, within(args, options));
      if (result.exitCode !== 0) throw new GitError(args, result);
      return result.stdout.replace(/\n$/, '');
    },
    objects: (root, own = {}) => git.objects(root, { ...pinned, ...own }),
  };
}

/** The command behind git's own options; ours are `-c NAME=VALUE` and single words. */
function commandOf(args: readonly string[]): string {
  let at = 0;
  while (args[at]?.startsWith('-') === true) at += args[at] === '-c' ? 2 : 1;
  return args[at] ?? '';
}
