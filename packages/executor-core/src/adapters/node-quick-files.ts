import * as fs from 'node:fs';
import type { OpenFile, QuickFiles } from '../ports/quick-files';
import { hasCode } from './error-code';

const FILE_MODE = 0o600;

/** The real thing, by synchronous system calls. */
export function nodeQuickFiles(): QuickFiles {
  return { create, open, rewrite, rename, remove };
}

function create(path: string, text: string): 'created' | 'exists' | 'no-folder' {
  const file = open(path, text);
  if (typeof file === 'string') return file;
  file.close();
  return 'created';
}

function open(path: string, text: string): OpenFile | 'exists' | 'no-folder' {
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
    fs.closeSync(fd);
    throw error;
  }
  return {
    rewrite: (newText) => {
      writeOver(fd, path, newText);
    },
    close: () => {
      fs.closeSync(fd);
    },
  };
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
    writeOver(fd, path, text);
  } finally {
    fs.closeSync(fd);
  }
  return true;
}

function writeOver(fd: number, path: string, text: string): void {
  const length = Buffer.byteLength(text);
  const padding = Math.max(0, fs.fstatSync(fd).size - length);
  writeWhole(fd, path, Buffer.from(text + ' '.repeat(padding)));
}

function writeWhole(fd: number, path: string, bytes: Buffer): void {
  const taken = fs.writeSync(fd, bytes, 0, bytes.length, 0);
  if (taken === bytes.length) return;
  throw new Error(`Short write to ${path}: ${taken} of ${bytes.length} bytes. Is the disk full?`);
}

function rename(from: string, to: string): boolean {
  return unlessMissing(() => {
    fs.renameSync(from, to);
  });
}

function remove(path: string): boolean {
  return unlessMissing(() => {
    fs.unlinkSync(path);
  });
}

function unlessMissing(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
