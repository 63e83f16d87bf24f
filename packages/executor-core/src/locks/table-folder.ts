import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';

/**
 * Where the lock table lies: `<locksDir>/leases-<epoch>`. Whoever writes to it names the epoch in the
 * path. So one rename of the folder to the next epoch, a single step of the file system, makes every
 * later write of those who worked in the old one fail: that is how a leader that fell silent is fenced.
 * What it had done before came along with the folder.
 */
export interface TableFolder {
  readonly epoch: number;
  readonly path: string;
}

const FOLDER = /^leases-(\d{1,12})$/;

/** The folder of the current epoch, or `null` when there is no table yet. */
export async function findFolder(fs: FileSystem, locksDir: string): Promise<TableFolder | null> {
  const epochs = (await fs.list(locksDir)).flatMap((name) => {
    const digits = FOLDER.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return epochs.length === 0 ? null : folderOf(locksDir, Math.max(...epochs));
}

/** The folder of the current epoch; the first is made when there is none. */
export async function openFolder(fs: FileSystem, locksDir: string): Promise<TableFolder> {
  const found = await findFolder(fs, locksDir);
  if (found !== null) return found;
  const first = folderOf(locksDir, 1);
  await fs.makeDir(first.path);
  // Somebody may have come, and been taken over, since we looked: then ours is an old epoch.
  return (await findFolder(fs, locksDir)) ?? first;
}

/** Begins the next epoch; `false` when somebody else has. */
export function moveFolder(fs: FileSystem, locksDir: string, from: TableFolder): Promise<boolean> {
  return fs.rename(from.path, folderOf(locksDir, from.epoch + 1).path);
}

/** Path of the mutex whose holder may change the table of this epoch. */
export function mutexPath(locksDir: string, folder: TableFolder): string {
  return join(locksDir, `table-${folder.epoch}`);
}

function folderOf(locksDir: string, epoch: number): TableFolder {
  return { epoch, path: join(locksDir, `leases-${epoch}`) };
}
