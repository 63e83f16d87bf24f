import { basename, dirname, join, posix } from 'node:path';
import type { HelperAnswer, RegenerateRequest } from '../merge/ladder/ladder-helpers';
import type { LadderTools } from './ladder-tools';
import { runTool, withFolder } from './ladder-tools';

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
const PNPM: Manager = {
  name: 'pnpm',
  argv: ['pnpm', 'install', '--lockfile-only', '--ignore-scripts', '--ignore-pnpmfile'],
};
/** Of the second version on. What the first one does not know it ignores: told like this it would run scripts. */
const YARN: Manager = { name: 'yarn', argv: ['yarn', 'install', '--mode=update-lockfile'] };
/** It knows no way but to install. Later versions refuse the words. */
const CLASSIC_YARN: Manager = {
  name: 'yarn',
  argv: ['yarn', 'install', '--ignore-scripts', '--non-interactive', '--no-progress'],
};
const MANAGERS: Readonly<Record<string, (lockfile: string) => Manager>> = {
  'package-lock.json': () => NPM,
  'npm-shrinkwrap.json': () => NPM,
  'pnpm-lock.yaml': () => PNPM,
  'yarn.lock': (lockfile) => (lockfile.includes(CLASSIC) ? CLASSIC_YARN : YARN),
};
const CLASSIC = '# yarn lockfile v1';
/** Read by the first Yarn alone, should it meet a later one's lockfile; a later one refuses to be told so. */
const CLASSIC_SETTINGS = { name: '.yarnrc', text: '--install.ignore-scripts true\n' };
/** The line in which a lockfile says how it is written. */
const FORMAT =
  /^(?:# yarn lockfile v\d+|__metadata:\r?\n {2}version: \d+|lockfileVersion: .*|\s*"lockfileVersion": \d+)/m;
/** What a package manager reads to write a lockfile, beside the lockfile. */
const MANIFESTS: ReadonlySet<string> = new Set([
  'package.json',
  '.npmrc',
  'pnpm-workspace.yaml',
  '.yarnrc.yml',
]);
/** Nothing the repository names is started, neither in place of the program on PATH nor by it. */
const NO_PROGRAMS = {
  YARN_IGNORE_PATH: '1',
  COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
  npm_config_ignore_scripts: 'true',
  YARN_ENABLE_SCRIPTS: 'false',
};
const MOST_MANIFESTS = 2000;
const LIMIT_MS = 120_000;

/**
 * Makes a lockfile in conflict anew: its package manager gets the merged manifests and the target's
 * lockfile in a folder of their own, and keeps of the lockfile what still fits. No script is run.
 * `null` when the package manager is not on PATH or fails, e.g. without network, or when the one that is there
 * writes lockfiles in another format than the target's.
 */
export function regenerateLockfile(
  tools: LadderTools,
): (request: RegenerateRequest) => Promise<HelperAnswer | null> {
  return (request) => {
    const managerOf = MANAGERS[basename(request.path)];
    if (managerOf === undefined) return Promise.resolve(null);
    return withFolder(tools.fs, (folder) => regenerate(tools, managerOf, request, folder));
  };
}

async function regenerate(
  tools: LadderTools,
  managerOf: (lockfile: string) => Manager,
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
  await fs.replace(join(folder, CLASSIC_SETTINGS.name), CLASSIC_SETTINGS.text);
  const lockfile = join(folder, basename(path));
  const before = (await fs.readText(lockfile)) ?? '';
  const { name, argv } = managerOf(before);
  if (!(await runTool(tools, argv, folder, LIMIT_MS, NO_PROGRAMS))) return null;
  const content = await fs.readFrom(lockfile, 0);
  if (formatOf(content.toString('utf8')) !== formatOf(before)) return null;
  return { content, reason: `made anew from the merged manifests by ${name}` };
}

function formatOf(lockfile: string): string | null {
  return FORMAT.exec(lockfile)?.[0].trim() ?? null;
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
