import { basename, dirname, join, posix } from 'node:path';
import type { HelperAnswer, RegenerateRequest } from '../merge/ladder/ladder-helpers';
import type { LadderTools } from './ladder-tools';
import { runHelper, withFolder } from './ladder-tools';

interface Manager {
  readonly name: string;
  readonly argv: readonly string[];
}

const NPM: Manager = {
  name: 'npm',
  argv: [
    ...['npm', 'install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'],
    '--prefer-offline',
  ],
};
const MANAGERS: Readonly<Record<string, Manager>> = {
  'package-lock.json': NPM,
  'npm-shrinkwrap.json': NPM,
  'pnpm-lock.yaml': {
    name: 'pnpm',
    argv: ['pnpm', 'install', '--lockfile-only', '--ignore-scripts', '--ignore-pnpmfile'],
  },
  'yarn.lock': { name: 'yarn', argv: ['yarn', 'install', '--mode=update-lockfile'] },
};
/** What a package manager reads to write a lockfile, beside the lockfile. */
const MANIFESTS: ReadonlySet<string> = new Set([
  'package.json',
  '.npmrc',
  'pnpm-workspace.yaml',
  '.yarnrc.yml',
]);
/** Nothing the repository names is started in place of the program on PATH. */
const NO_PROGRAMS = { YARN_IGNORE_PATH: '1', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
const MOST_MANIFESTS = 2000;
const LIMIT_MS = 120_000;

/**
 * Makes a lockfile in conflict anew: its package manager gets the merged manifests and the target's
 * lockfile in a folder of their own, and keeps of the lockfile what still fits. No script is run.
 * `null` when the package manager is not on PATH or fails, e.g. without network.
 */
export function regenerateLockfile(
  tools: LadderTools,
): (request: RegenerateRequest) => Promise<HelperAnswer | null> {
  return (request) => {
    const manager = MANAGERS[basename(request.path)];
    if (manager === undefined) return Promise.resolve(null);
    return withFolder(tools.fs, (folder) => regenerate(tools, manager, request, folder));
  };
}

async function regenerate(
  tools: LadderTools,
  { name, argv }: Manager,
  { path, tree }: RegenerateRequest,
  folder: string,
): Promise<HelperAnswer | null> {
  const { fs } = tools;
  const top = posix.dirname(path);
  const wanted = (await manifestsOf(tools, tree)).filter(
    (file) => file === path || (isBelow(file, top) && MANIFESTS.has(basename(file))),
  );
  if (wanted.length > MOST_MANIFESTS) return null;
  for (const file of wanted) {
    const content = await contentOf(tools, tree, file);
    const place = join(folder, posix.relative(top, file));
    await fs.makeDir(dirname(place));
    await fs.replace(place, content);
  }
  if (!(await runHelper(tools, argv, folder, LIMIT_MS, NO_PROGRAMS))) return null;
  const content = await fs.readFrom(join(folder, basename(path)), 0);
  return { content, reason: `made anew from the merged manifests by ${name}` };
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path.startsWith(`${folder}/`);
}

/** Regular files of a tree; those inside a `node_modules` are nobody's manifests. */
async function manifestsOf({ git, root }: LadderTools, tree: string): Promise<readonly string[]> {
  const listed = await git.text(['ls-tree', '-r', '-z', tree], { cwd: root });
  return listed
    .split('\0')
    .filter((entry) => entry.startsWith('100'))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1))
    .filter((path) => !path.split('/').some((name) => name === 'node_modules' || name === '..'));
}

async function contentOf({ git, root }: LadderTools, tree: string, path: string): Promise<Buffer> {
  const objects = git.objects(root);
  const id = await objects.resolve(`${tree}:${path}`);
  return id === null ? Buffer.alloc(0) : objects.readBlob(id);
}
