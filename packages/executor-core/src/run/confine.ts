import { dirname, join } from 'node:path';
import { globsOverlap } from '../graph/path-overlap';
import { linkedPlace } from '../merge/linked-worktree';
import type { AgentProfile, HeldBy, Plan, SandboxMode } from '../model/task';
import { profilesInUse } from '../model/task';
import { UserError } from '../model/user-error';
import type { AgentInvocation } from '../ports/agent';
import type { Confinement } from '../ports/sandbox';
import type { RunPaths } from '../store/run-dir';
import type { Toolbox } from './toolbox';

/** A sandbox with more exceptions takes long to start; the audit sees what the rest writes. */
const MOST_EXCEPTIONS = 300;
const GLOB_CHARS = /[*?[\]{}!]/;
/** Where the real objects are shown to git, behind the agent's own. */
const OBJECTS_AT = '/tmp/.parallel-objects';
/** Of an entry in git's list of worktrees, what leads our git elsewhere or says whose it is. */
const ENTRY_NAMES = ['commondir', 'gitdir', 'locked', 'parallel-ready', 'config.worktree', 'info'];

/** The sandbox mode of a profile in a plan. */
function modeOf(plan: Plan, profile: Pick<AgentProfile, 'sandbox'>): SandboxMode {
  return profile.sandbox ?? plan.settings.sandbox ?? 'off';
}

/** Throws `UserError` when the plan requires a sandbox that cannot be had. */
export async function checkSandbox({ sandbox }: Toolbox, plan: Plan): Promise<void> {
  const used = profilesInUse(plan);
  const strict = plan.agents.filter(
    (profile) => used.has(profile.name) && modeOf(plan, profile) === 'required',
  );
  const [first] = strict;
  if (first === undefined) return;
  const inProcess = strict.find(({ adapter }) => adapter === 'function');
  if (inProcess !== undefined) {
    throw new UserError(
      'usage',
      `Agent ${inProcess.name} requires a sandbox, and it is a function of this process.`,
      'Make it a command, or set sandbox: off for it.',
    );
  }
  const problem = await sandbox.problem();
  if (problem === null) return;
  throw new UserError(
    'environment',
    `Agent ${first.name} requires a sandbox, but ${problem}.`,
    'Install bubblewrap (apt-get install bubblewrap) and allow user namespaces, or set sandbox: auto.',
  );
}

/** What will hold the agents of a profile. */
export async function heldBy(
  { sandbox }: Pick<Toolbox, 'sandbox'>,
  plan: Plan,
  profile: AgentProfile,
): Promise<HeldBy> {
  if (modeOf(plan, profile) === 'off' || profile.adapter === 'function') return 'audit';
  return (await sandbox.problem()) === null ? sandbox.name : 'audit';
}

type Tools = Pick<Toolbox, 'fs' | 'files' | 'git'> & {
  /** Root of the main checkout. */
  readonly root: string;
  readonly paths: RunPaths;
};

/**
 * What an agent may write: the folders of its write set, the folder of its attempt, and its own entry in
 * git's list of worktrees. Folders of the write set that are missing are made. Its git has branches and
 * objects of its own on top of the real ones, so that it can commit and cannot harm them; what lands is
 * made from its files. `scratch` is removed when it has ended.
 */
export async function confinementOf(
  tools: Tools,
  { worktree, task, attempt }: Pick<AgentInvocation, 'worktree' | 'task' | 'attempt'>,
): Promise<{ readonly confinement: Confinement; readonly scratch: string }> {
  const attemptDir = tools.paths.task(task.id).attempt(attempt).dir;
  const scratch = join(attemptDir, 'git');
  const own = await writeSet(tools, worktree, task.access.writes);
  const git = await ownGit(tools, worktree, scratch);
  const confinement: Confinement = {
    folder: worktree,
    writable: [...own.writable, attemptDir, ...git.writable],
    readOnly: [tools.root, worktree, ...own.readOnly, ...git.readOnly],
    replaced: git.replaced,
    shown: git.shown,
    emptied: git.emptied,
  };
  return { confinement, scratch };
}

interface Rules {
  readonly writable: readonly string[];
  readonly readOnly: readonly string[];
}

async function writeSet(
  { fs, files }: Tools,
  worktree: string,
  writes: readonly string[],
): Promise<Rules> {
  const globs = writes.filter((glob) => !glob.startsWith('!'));
  const folders = new Set<string>();
  for (const glob of globs) {
    const folder = await folderOf({ fs, files }, worktree, glob);
    if (folder !== null) folders.add(folder);
  }
  const readOnly: string[] = [];
  for (const folder of folders) {
    const inside = folder === '' ? '' : `${folder}/`;
    for (const name of await fs.list(join(worktree, folder))) {
      const path = `${inside}${name}`;
      const mayWrite =
        path !== '.git' &&
        globs.some((glob) => globsOverlap(glob, path) || globsOverlap(glob, `${path}/**`));
      const kind = await files.kind(join(worktree, path));
      // A link cannot be covered; what it leads to is read-only anyway.
      if (!mayWrite && (kind === 'file' || kind === 'folder')) readOnly.push(join(worktree, path));
    }
  }
  return {
    writable: [...folders].sort().map((folder) => join(worktree, folder)),
    readOnly: readOnly.slice(0, MOST_EXCEPTIONS),
  };
}

/**
 * Folder of the worktree to make writable for a glob: the one named before its first special character;
 * of a file, the folder it is in, because programs replace files rather than write into them. `null`
 * where a symbolic link is on the way: it could lead anywhere.
 */
async function folderOf(
  { fs, files }: Pick<Tools, 'fs' | 'files'>,
  worktree: string,
  glob: string,
): Promise<string | null> {
  const names = glob.split('/').filter((name) => name !== '' && name !== '.');
  const special = names.findIndex((name) => GLOB_CHARS.test(name));
  let named = special < 0 ? names : names.slice(0, special);
  const isFolder = special >= 0 || (await files.kind(join(worktree, ...named))) === 'folder';
  if (!isFolder) named = named.slice(0, -1);
  for (let depth = 1; depth <= named.length; depth += 1) {
    const kind = await files.kind(join(worktree, ...named.slice(0, depth)));
    if (kind === null) break;
    if (kind !== 'folder') return null;
  }
  await fs.makeDir(join(worktree, ...named));
  return named.join('/');
}

async function ownGit(
  { fs, files, git, root }: Tools,
  worktree: string,
  scratch: string,
): Promise<Omit<Confinement, 'folder'>> {
  const place = await linkedPlace(git, fs, root, worktree);
  if (place === null) throw new Error('The worktree is no longer a checkout of this repository.');
  const common = dirname(dirname(place.gitDir));
  const objects = join(scratch, 'objects');
  await fs.removeTree(scratch);
  await fs.makeDir(join(objects, 'info'));
  await fs.replace(join(objects, 'info', 'alternates'), `${OBJECTS_AT}\n`);
  await files.copy(join(common, 'refs', 'heads'), join(scratch, 'heads'));
  const present = async (path: string): Promise<readonly string[]> =>
    (await files.kind(path)) === null ? [] : [path];
  const fixed = await Promise.all(ENTRY_NAMES.map((name) => present(join(place.gitDir, name))));
  return {
    writable: [place.gitDir],
    readOnly: [common, ...fixed.flat()],
    replaced: [
      { from: objects, to: join(common, 'objects') },
      { from: join(scratch, 'heads'), to: join(common, 'refs', 'heads') },
    ],
    shown: [{ from: join(common, 'objects'), to: OBJECTS_AT }],
    emptied: await present(join(common, 'logs', 'refs')),
  };
}
