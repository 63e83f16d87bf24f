import * as fs from 'node:fs';
import type { QuickFiles } from '../ports/quick-files';
import { hasCode } from './error-code';

const FILE_MODE = 0o600;

/** The real thing, by synchronous system calls. */
export function nodeQuickFiles(): QuickFiles {
  return { create, rewrite, remove };
}

function create(path: string, text: string): 'created' | 'exists' | 'no-folder' {
  let fd: number;
  try {
    fd = fs.openSync(path, 'wx', FILE_MODE);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'exists';
    if (hasCode(error, 'ENOENT')) return 'no-folder';
    throw error;
  }
  try {
    writeWhole(fd, path, Buffer.from(text));
  } catch (error) {
    remove(path);
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return 'created';
}

function rewrite(path: string, text: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(path, 'r+');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    const bytes = Buffer.from(text);
    const padding = Math.max(0, fs.fstatSync(fd).size - bytes.length);
    writeWhole(fd, path, Buffer.concat([bytes, Buffer.alloc(padding, ' ')]));
  } finally {
    fs.closeSync(fd);
  }
  return true;
}

function writeWhole(fd: number, path: string, bytes: Buffer): void {
  const taken = fs.writeSync(fd, bytes, 0, bytes.length, 0);
  if (taken === bytes.length) return;
  throw new Error(`Short write to ${path}: ${taken} of ${bytes.length} bytes. Is the disk full?`);
}

function remove(path: string): boolean {
  try {
    fs.unlinkSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
