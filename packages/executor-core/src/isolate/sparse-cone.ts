import { join } from 'node:path';

import { parseGlob } from '../graph/glob-pattern';
import type { Access } from '../model/access';

/**
 * The folders a sparse worktree needs for an access: of each glob what stands before its first special
 * character. The files beside them and in the folders above come with them, as in every cone (see
 * git-sparse-checkout(1)), so a path that names a file needs no look at the disk. Sorted, none below another.
 *
 * `null` when the globs do not narrow it down: one of them begins with a special character and reaches below
 * the root's own files, or is outside the dialect.
 */
export function coneOf({ reads, writes }: Access): readonly string[] | null {
  const folders: string[] = [];
  for (const glob of [...reads, ...writes]) {
    if (glob.startsWith('!')) continue;
    const patterns = parseGlob(glob);
    if (patterns === null) return null;
    for (const { prefix, segments } of patterns) {
      if (prefix.length > 0) folders.push(prefix.join('/'));
      else if (segments.length !== 1 || segments[0] === '**') return null;
    }
  }
  return outermost(folders);
}

/** Sorted, without those that lie in another; `./` and slashes at the ends do not count. */
export function outermost(folders: readonly string[]): readonly string[] {
  const plain = folders.map((folder) => folder.split('/').filter((name) => !/^\.?$/.test(name)));
  const sorted = plain.map((names) => `${names.join('/')}/`).sort();
  const kept: string[] = [];
  for (const folder of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !folder.startsWith(last)) kept.push(folder);
  }
  return kept.map((folder) => folder.slice(0, -1));
}

/**
 * Text of `info/sparse-checkout` for a cone: the files of the root, all below `folders`, and the files
 * beside the way there. Written as git itself does, or it would not take it for a cone.
 */
export function conePatterns(folders: readonly string[]): string {
  const lines = new Set<string>(['/*', '!/*/']);
  for (const folder of folders) {
    const names = folder.split('/').map((name) => name.replace(/[*?[\\]/g, '\\$&'));
    for (let depth = 1; depth < names.length; depth += 1) {
      const parent = names.slice(0, depth).join('/');
      lines.add(`/${parent}/`).add(`!/${parent}/*/`);
    }
    lines.add(`/${names.join('/')}/`);
  }
  return `${[...lines].join('\n')}\n`;
}

/** The folders that `conePatterns` was given; of a file that is no cone, what looks like one. */
export function coneOfPatterns(text: string): readonly string[] {
  const lines = new Set(text.split('\n'));
  const folders = [...lines].filter((line) => /^\/.+\/$/.test(line) && !lines.has(`!${line}*/`));
  return folders.map((line) => line.slice(1, -1).replace(/\\(.)/g, '$1'));
}

/** Whether a file is in the worktree of a cone. */
export function isInCone(path: string, cone: readonly string[]): boolean {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  if (folder === '') return true;
  return cone.some((inside) => `${inside}/`.startsWith(folder) || folder.startsWith(`${inside}/`));
}

/** Where git looks for the cone of the worktree with this entry in its list. */
export function sparseFile(entryFolder: string): string {
  return join(entryFolder, 'info', 'sparse-checkout');
}

/** A line of git's file cannot hold these. */
export function isConeName(folder: string): boolean {
  return !/[\r\n]/.test(folder) && !folder.endsWith(' ');
}
