import { dirname, join, relative, resolve, sep } from 'node:path';

import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';
import type { Git } from '../ports/git';
import { isBelow } from './worktree-site';

export interface LinkFarm {
  readonly fs: FileSystem;
  readonly files: FileTree;
  readonly git: Git;
  /** Main checkout and worktree; absolute, links resolved. */
  readonly root: string;
  readonly worktree: string;
}

/** Written to by build tools; shared, two worktrees would read each other's results. */
const CACHES = new Set(['.cache', '.vite', '.vite-temp', '.vitest']);
/**
 * Where pnpm, linked installs of npm and yarn, and bun keep the packages that all else links to. Shown in the worktree,
 * an install there would change, and tidy up, what the main checkout has.
 */
const STORES = new Set(['.pnpm', '.store', '.bun']);

/**
 * Gives the worktree the packages installed in a `node_modules` folder of the main checkout (`path`,
 * repository-relative), without copying them: a real folder with one link per package. A link to a
 * workspace package leads to the worktree's own copy of it; one link for the whole folder would lead
 * every import of one workspace package from another to the main checkout's code. The `node_modules` of
 * the workspace packages found on the way are done too, as far as the worktree has these; where the packages lie in
 * a store, nothing leads to the workspace packages, and git is asked for them. What exists in the worktree stays.
 *
 * Resolves with the repository-relative folders that were made, parents before children.
 */
export async function makeLinkFarm(farm: LinkFarm, path: string): Promise<readonly string[]> {
  const made: string[] = [];
  const waiting = [path];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (made.includes(next)) continue;
    if ((await farm.files.kind(join(farm.root, next))) !== 'folder') continue;
    // Outside the cone of a sparse worktree: a folder there would have git look at all that was left out.
    if ((await farm.files.kind(join(farm.worktree, dirname(next)))) !== 'folder') continue;
    made.push(next);
    const workspaces = [...(await plantFolder(farm, next, 'packages'))];
    if (dirname(next) === '.' && (await hasStore(farm, next))) {
      workspaces.push(...(await foldersWithManifest(farm)));
    }
    waiting.push(...workspaces.map((workspace) => join(workspace, 'node_modules')));
  }
  return made;
}

async function hasStore(farm: LinkFarm, path: string): Promise<boolean> {
  return (await farm.fs.list(join(farm.root, path))).some((name) => STORES.has(name));
}

/** Folders below the root with a package.json, repository-relative. */
async function foldersWithManifest({ git, worktree }: LinkFarm): Promise<readonly string[]> {
  const args = ['ls-files', '-z', '--', ':(glob)*/**/package.json'];
  const found = await git.text(args, { cwd: worktree });
  return found.split('\0').filter(Boolean).map(dirname);
}

/** Fills one folder of the farm; returns the workspace packages it links to. */
async function plantFolder(
  farm: LinkFarm,
  path: string,
  holds: 'packages' | 'scope' | 'programs',
): Promise<readonly string[]> {
  const workspaces: string[] = [];
  await farm.fs.makeDir(join(farm.worktree, path));
  for (const name of await farm.fs.list(join(farm.root, path))) {
    const entry = join(path, name);
    const kind = await farm.files.kind(join(farm.root, entry));
    const nested = holds === 'packages' && kind === 'folder';
    if (nested && (CACHES.has(name) || STORES.has(name))) continue;
    if (nested && name.startsWith('@')) {
      workspaces.push(...(await plantFolder(farm, entry, 'scope')));
    } else if (nested && name === '.bin') {
      await plantFolder(farm, entry, 'programs');
    } else if (kind === 'link') {
      const workspace = await plantLink(farm, entry);
      if (workspace !== null && holds !== 'programs') workspaces.push(workspace);
    } else if (kind === 'file') {
      // A copy: package managers write these through a link.
      await farm.files.copy(join(farm.root, entry), join(farm.worktree, entry));
    } else {
      await makeLink(farm, join(farm.root, entry), entry);
    }
  }
  return workspaces;
}

/** Plants a link of the main checkout; returns the workspace package it leads to, or `null`. */
async function plantLink(farm: LinkFarm, entry: string): Promise<string | null> {
  const text = await farm.files.readLink(join(farm.root, entry));
  const target = resolve(dirname(join(farm.root, entry)), text);
  if (target !== farm.root && !isBelow(target, farm.root)) {
    await makeLink(farm, target, entry);
    return null;
  }
  const inside = relative(farm.root, target);
  const installed = inside.split(sep).includes('node_modules');
  const program = dirname(entry).endsWith('.bin');
  // Package managers that keep their store beside the packages: it is not in the worktree.
  if (installed && !program) await makeLink(farm, target, entry);
  else await makeLink(farm, relativeOwn(farm, entry, inside), entry);
  return installed ? null : inside;
}

/** Link text from `entry` to the worktree's own `inside`. */
function relativeOwn(farm: LinkFarm, entry: string, inside: string): string {
  return relative(dirname(join(farm.worktree, entry)), join(farm.worktree, inside));
}

async function makeLink(farm: LinkFarm, text: string, entry: string): Promise<void> {
  const path = join(farm.worktree, entry);
  if ((await farm.files.kind(path)) === null) await farm.files.makeLink(text, path);
}
