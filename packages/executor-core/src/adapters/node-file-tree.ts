import * as fs from 'node:fs';

import type { FileKind, FileTree } from '../ports/file-tree';

/** The real file system. A missing name is a value as the port says; every other error is thrown. */
export function nodeFileTree(): FileTree {
  return {
    kind,
    readLink: (path) => fs.promises.readlink(path),
    makeLink: (text, path) => fs.promises.symlink(text, path),
    copy,
    realPath: (path) => nullWhenMissing(fs.promises.realpath(path)),
  };
}

async function kind(path: string): Promise<FileKind | null> {
  const stats = await nullWhenMissing(fs.promises.lstat(path));
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
