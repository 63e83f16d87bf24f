import { join, resolve } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';

/** Where git keeps what belongs to one linked worktree, read from the files themselves. */
export interface LinkedPlace {
  /** Its private git folder. */
  readonly gitDir: string;
  /** What HEAD is: a full ref name, or a commit id when it is detached. */
  readonly head: string;
}

/**
 * The place of a worktree of the repository around `root`; `null` when the folder is none (any more).
 * Without its `.git` file a folder inside the user's checkout would pass for a part of that checkout,
 * and the user's own work for the agent's.
 */
export async function linkedPlace(
  git: Git,
  fs: FileSystem,
  root: string,
  worktree: string,
): Promise<LinkedPlace | null> {
  const link = await readLine(fs, join(worktree, '.git'));
  const gitDir = /^gitdir: (.+)$/.exec(link)?.[1];
  if (gitDir === undefined) return null;
  const folder = resolve(worktree, gitDir);
  const [common, back, head] = await Promise.all([
    readLine(fs, join(folder, 'commondir')),
    readLine(fs, join(folder, 'gitdir')),
    readLine(fs, join(folder, 'HEAD')),
  ]);
  if (common === '' || resolve(folder, back) !== join(worktree, '.git')) return null;
  if (resolve(folder, common) !== (await commonDir(git, root))) return null;
  return { gitDir: folder, head: head.replace(/^ref: /, '') };
}

async function readLine(fs: FileSystem, path: string): Promise<string> {
  return ((await fs.readText(path).catch(() => null)) ?? '').trim();
}

/** It does not move while a process runs: asked once per git and checkout. */
const known = new WeakMap<Git, Map<string, Promise<string>>>();

/** The git folder that all checkouts of the repository around `root` share, absolute. */
export function commonDir(git: Git, root: string): Promise<string> {
  const byRoot = known.get(git) ?? new Map<string, Promise<string>>();
  known.set(git, byRoot);
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir'];
  const asked = byRoot.get(root) ?? git.text(args, { cwd: root });
  byRoot.set(root, asked);
  return asked;
}
