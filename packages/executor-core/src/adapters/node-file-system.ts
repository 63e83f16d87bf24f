import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { AppendFile, FileSystem } from '../ports/file-system';
import { atOnce } from './at-once';
import { hasCode } from './error-code';
import { removeTrees } from './remove-trees';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY = /^\.tmp-\d+-[0-9a-f]{16}$/;
/** A link planted where we append would send our bytes elsewhere. */
const APPEND_FLAGS =
  fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;

/** Bytes that are read without leaving the main thread: a way through the pool costs more. */
const READ_AT_ONCE = 65_536;

const read = promisify(fs.read);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const close = promisify(fs.close);

/**
 * The real file system. New folders are private to the user (0700), new files too (0600). A missing
 * file is a value as the port says; a missing *parent* folder of something to be written is an error
 * (`ENOENT`). The temporary files behind `writeAtomic` and `createExclusive` never show in `list`.
 *
 * What touches one small file or a name is done at once: by way of the thread pool, opening, reading and
 * closing cost more than the calls themselves. What may take long (`fsync`, whole trees, the tail of a log) does not block.
 */
export function nodeFileSystem(): FileSystem {
  return {
    readText,
    readFrom,
    writeAtomic,
    replace,
    create,
    createExclusive,
    openAppend,
    syncFolder,
    list,
    makeDir,
    link,
    stamp,
    rename,
    removeFile: (path) =>
      presentOrNot(() => {
        fs.unlinkSync(path);
      }),
    removeTree,
    removeTrees,
    touch,
    modifiedAt,
    size: async (path) => (await orWhenMissing(() => fs.statSync(path), null))?.size ?? null,
    exists,
    watch,
  };
}

function readText(path: string): Promise<string | null> {
  return orWhenMissing<string | null>(() => fs.readFileSync(path, 'utf8'), null);
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const size = await orWhenMissing(() => fs.statSync(path).size, 0);
  if (size <= offset) return Buffer.alloc(0);
  const fd = await orWhenMissing<number | null>(() => fs.openSync(path, 'r'), null);
  if (fd === null) return Buffer.alloc(0);
  try {
    const room = { buffer: Buffer.alloc(Math.max(0, fs.fstatSync(fd).size - offset)), filled: 0 };
    const few = room.buffer.length <= READ_AT_ONCE;
    while (room.filled < room.buffer.length) {
      const { buffer, filled } = room;
      const args = [fd, buffer, filled, buffer.length - filled, offset + filled] as const;
      const taken = few ? fs.readSync(...args) : (await read(...args)).bytesRead;
      if (taken === 0) break;
      room.filled += taken;
    }
    return room.buffer.subarray(0, room.filled);
  } finally {
    fs.closeSync(fd);
  }
}

async function writeAtomic(path: string, content: string | Buffer): Promise<void> {
  await replaceBy(path, await writeTemporary(dirname(path), content));
  await syncFolder(dirname(path));
}

async function replace(path: string, content: string | Buffer): Promise<void> {
  await replaceBy(path, await writeTemporary(dirname(path), content, false));
}

function create(path: string, content: string): Promise<void> {
  return atOnce(() => {
    fs.writeFileSync(path, content, { flag: 'wx', mode: FILE_MODE });
  });
}

async function replaceBy(path: string, temporary: string): Promise<void> {
  try {
    fs.renameSync(temporary, path);
  } catch (error) {
    await presentOrNot(() => {
      fs.unlinkSync(temporary);
    });
    throw error;
  }
}

/** `link(2)` fails when the name exists, and gives the name only to a file that is already complete. */
async function createExclusive(path: string, content: string): Promise<boolean> {
  const temporary = await writeTemporary(dirname(path), content);
  try {
    fs.linkSync(temporary, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await presentOrNot(() => {
      fs.unlinkSync(temporary);
    });
  }
}

async function writeTemporary(
  folder: string,
  content: string | Buffer,
  durable = true,
): Promise<string> {
  const path = join(folder, `.tmp-${process.pid}-${randomBytes(8).toString('hex')}`);
  const fd = fs.openSync(path, 'wx', FILE_MODE);
  try {
    fs.writeFileSync(fd, content);
    if (durable) await fsync(fd);
  } catch (error) {
    await presentOrNot(() => {
      fs.unlinkSync(path);
    });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  return path;
}

async function syncFolder(folder: string): Promise<void> {
  const fd = fs.openSync(folder, 'r');
  try {
    await fsync(fd);
  } finally {
    fs.closeSync(fd);
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
        const text = `ENOSPC: short write to ${path}: ${taken} of ${bytes.length} bytes`;
        // The kernel says why only to the next write, which nobody may make in the middle of a record.
        throw Object.assign(new Error(text), { code: 'ENOSPC' });
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
  const names = await orWhenMissing<string[]>(() => fs.readdirSync(path), []);
  return names.filter((name) => !TEMPORARY.test(name)).sort();
}

function makeDir(path: string): Promise<void> {
  return atOnce(() => {
    // Nearly always it is there: to look is cheaper, and waits for nobody who writes beside it.
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  });
}

/** Not every file system has hard links; where they cannot be had the caller has another way. */
function link(from: string, to: string): Promise<boolean> {
  return atOnce(() => {
    fs.linkSync(from, to);
    return true;
  }).catch(() => false);
}

async function stamp(path: string): Promise<string | null> {
  const look = () => fs.statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  const found = await orWhenMissing(look, null);
  return found === null ? null : `${found.ino}:${found.size}:${found.mtimeNs}`;
}

async function rename(from: string, to: string): Promise<boolean> {
  try {
    fs.renameSync(from, to);
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
  return presentOrNot(() => {
    fs.utimesSync(path, now, now);
  });
}

function modifiedAt(path: string): Promise<number | null> {
  return orWhenMissing<number | null>(() => fs.statSync(path).mtimeMs, null);
}

/** A dangling link exists: its name is taken. */
function exists(path: string): Promise<boolean> {
  return presentOrNot(() => {
    fs.lstatSync(path);
  });
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

function presentOrNot(work: () => void): Promise<boolean> {
  return orWhenMissing(() => {
    work();
    return true;
  }, false);
}

function orWhenMissing<T>(work: () => T, instead: T): Promise<T> {
  return atOnce(work).catch((error: unknown) => {
    if (isMissing(error)) return instead;
    throw error;
  });
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
}
