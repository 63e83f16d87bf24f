import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { AppendFile, FileSystem } from '../ports/file-system';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY = /^\.tmp-\d+-[0-9a-f]{16}$/;
/** A link planted where we append would send our bytes elsewhere. */
const APPEND_FLAGS =
  fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;

const fdatasync = promisify(fs.fdatasync);
const close = promisify(fs.close);

/**
 * The real file system. New folders are private to the user (0700), new files too (0600). A missing
 * file is a value as the port says; a missing *parent* folder of something to be written is an error
 * (`ENOENT`). The temporary files behind `writeAtomic` and `createExclusive` never show in `list`.
 */
export function nodeFileSystem(): FileSystem {
  return {
    readText,
    readFrom,
    writeAtomic,
    createExclusive,
    openAppend,
    list,
    makeDir,
    link,
    stamp,
    rename,
    removeFile: (path) => presentOrNot(fs.promises.unlink(path)),
    removeTree,
    touch,
    modifiedAt,
    size: async (path) => (await orWhenMissing(fs.promises.stat(path), null))?.size ?? null,
    exists,
    watch,
  };
}

function readText(path: string): Promise<string | null> {
  return orWhenMissing<string | null>(fs.promises.readFile(path, 'utf8'), null);
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const handle = await orWhenMissing(fs.promises.open(path, 'r'), null);
  if (handle === null) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(
        buffer,
        filled,
        buffer.length - filled,
        offset + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

async function writeAtomic(path: string, content: string | Buffer): Promise<void> {
  const temporary = await writeTemporary(dirname(path), content);
  try {
    await fs.promises.rename(temporary, path);
  } catch (error) {
    await presentOrNot(fs.promises.unlink(temporary));
    throw error;
  }
  await syncFolder(dirname(path));
}

/** `link(2)` fails when the name exists, and gives the name only to a file that is already complete. */
async function createExclusive(path: string, content: string): Promise<boolean> {
  const temporary = await writeTemporary(dirname(path), content);
  try {
    await fs.promises.link(temporary, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await presentOrNot(fs.promises.unlink(temporary));
  }
}

async function writeTemporary(folder: string, content: string | Buffer): Promise<string> {
  const path = join(folder, `.tmp-${process.pid}-${randomBytes(8).toString('hex')}`);
  const handle = await fs.promises.open(path, 'wx', FILE_MODE);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await presentOrNot(fs.promises.unlink(path));
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.promises.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function openAppend(path: string): Promise<AppendFile> {
  return new Promise((done) => {
    done(appendFile(path, fs.openSync(path, APPEND_FLAGS, FILE_MODE)));
  });
}

function appendFile(path: string, fd: number): AppendFile {
  let closed: Promise<void> | null = null;
  const assertOpen = (): void => {
    // The number may belong to another file by now, and its bytes would land there.
    if (closed !== null) throw new Error(`${basename(path)} is closed.`);
  };
  return {
    append(bytes) {
      assertOpen();
      const taken = fs.writeSync(fd, bytes);
      if (taken !== bytes.length) {
        throw new Error(
          `Short write to ${path}: ${taken} of ${bytes.length} bytes. Is the disk full?`,
        );
      }
    },
    async sync() {
      assertOpen();
      await fdatasync(fd);
    },
    close: () => (closed ??= close(fd)),
  };
}

async function list(path: string): Promise<readonly string[]> {
  const names = await orWhenMissing(fs.promises.readdir(path), []);
  return names.filter((name) => !TEMPORARY.test(name)).sort();
}

async function makeDir(path: string): Promise<void> {
  await fs.promises.mkdir(path, { recursive: true, mode: FOLDER_MODE });
}

/** Not every file system has hard links; where they cannot be had the caller has another way. */
async function link(from: string, to: string): Promise<boolean> {
  try {
    await fs.promises.link(from, to);
    return true;
  } catch {
    return false;
  }
}

async function stamp(path: string): Promise<string | null> {
  const found = await orWhenMissing(fs.promises.stat(path, { bigint: true }), null);
  return found === null ? null : `${found.ino}:${found.size}:${found.mtimeNs}`;
}

async function rename(from: string, to: string): Promise<boolean> {
  try {
    await fs.promises.rename(from, to);
    return true;
  } catch (error) {
    // ENOENT also means that the folder of `to` is missing, which is the caller's bug.
    if (hasCode(error, 'ENOENT') && !(await exists(from))) return false;
    throw error;
  }
}

async function removeTree(path: string): Promise<void> {
  // `resolve` drops a trailing slash: with it, a link would stand for the folder behind it.
  await fs.promises.rm(resolve(path), {
    recursive: true,
    force: true,
    maxRetries: 4,
    retryDelay: 50,
  });
}

function touch(path: string): Promise<boolean> {
  const now = new Date();
  return presentOrNot(fs.promises.utimes(path, now, now));
}

function modifiedAt(path: string): Promise<number | null> {
  return orWhenMissing<number | null>(
    fs.promises.stat(path).then((stats) => stats.mtimeMs),
    null,
  );
}

/** A dangling link exists: its name is taken. */
function exists(path: string): Promise<boolean> {
  return presentOrNot(fs.promises.lstat(path));
}

function watch(path: string, onChange: () => void): () => void {
  try {
    const watcher = fs.watch(path, { persistent: false }, () => {
      onChange();
    });
    watcher.on('error', () => {
      watcher.close();
    });
    return () => {
      watcher.close();
    };
  } catch {
    // Missing folder, or the system is out of watches: the hint never comes, as the port allows.
    return () => undefined;
  }
}

async function presentOrNot(work: Promise<unknown>): Promise<boolean> {
  return orWhenMissing(
    work.then(() => true),
    false,
  );
}

async function orWhenMissing<T>(work: Promise<T>, instead: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return instead;
    throw error;
  }
}

/** Not `instanceof Error`: system errors come from another realm under some test runners. */
function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
