import * as fs from 'node:fs';
import { join } from 'node:path';

import type { FileKind, FileTree } from '../ports/file-tree';
import { atOnce } from './at-once';
import { hasCode } from './error-code';

/** The real file system. A missing name is a value as the port says; every other error is thrown. */
export function nodeFileTree(): FileTree {
  return {
    kind,
    readLink: (path) => fs.promises.readlink(path),
    makeLink: (text, path) => fs.promises.symlink(text, path),
    copy,
    hardLink,
    realPath: (path) => nullWhenMissing(fs.promises.realpath(path)),
  };
}

async function kind(path: string): Promise<FileKind | null> {
  const stats = await nullWhenMissing(
    atOnce(() => fs.lstatSync(path, { throwIfNoEntry: false }) ?? null),
  );
  if (stats === null) return null;
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isDirectory()) return 'folder';
  return stats.isFile() ? 'file' : 'other';
}

async function copy(from: string, to: string): Promise<void> {
  await fs.promises.cp(from, to, {
    recursive: true,
    force: false,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    mode: fs.constants.COPYFILE_FICLONE,
  });
}

async function hardLink(from: string, to: string): Promise<void> {
  const what = await kind(from);
  if (what === 'folder') {
    // A link in its place may lead anywhere.
    if (![null, 'folder'].includes(await kind(to))) return;
    const { mode } = await fs.promises.stat(from);
    await fs.promises.mkdir(to, { recursive: true, mode });
    for (const name of await fs.promises.readdir(from)) {
      await hardLink(join(from, name), join(to, name));
    }
  } else if (what === 'file') await linkFile(from, to);
  else await copy(from, to);
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await fs.promises.link(from, to);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    if (!hasCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP')) throw error;
    await copy(from, to);
  }
}

async function nullWhenMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    // Not `instanceof Error`: system errors come from another realm under some test runners.
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
