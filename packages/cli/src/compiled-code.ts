import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, wrap } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/** What a CommonJS file is called with, see `module.wrapper`. */
type Body = (
  exports: unknown,
  require: NodeJS.Require,
  module: { readonly exports: unknown },
  file: string,
  folder: string,
) => void;

interface Loaded {
  readonly exports: unknown;
  /**
   * Writes the code that V8 has compiled so far beside the file, for the next start; where that is not
   * possible it does nothing. `null` when such code was there and has been used.
   */
  readonly keep: (() => void) | null;
}

/**
 * Loads the CommonJS file at an absolute path as `require` would, with the compiled code that an earlier
 * start left beside it: to compile a large file takes longer than most commands. Who may write there may
 * change the file as well, so the code is as trustworthy as the file. V8 takes no code of another version
 * or other flags, but it believes damaged code and dies of it; hence the digest.
 */
export function loadCompiled(file: string): Loaded {
  const source = readFileSync(file, 'utf8');
  const cache = cachePath(file);
  const cachedData = readCache(cache, source);
  const script = new Script(wrap(source), { filename: file, cachedData });
  const module = { exports: {} };
  const body = script.runInThisContext() as Body;
  body(module.exports, createRequire(file), module, file, dirname(file));
  const isUsed = cachedData !== undefined && script.cachedDataRejected !== true;
  const keep = (): void => {
    writeCache(cache, source, script.createCachedData());
  };
  return { exports: module.exports, keep: isUsed ? null : keep };
}

/** One for each version and kind of Node that shares the installation. */
function cachePath(file: string): string {
  return `${file}.${process.version}-${process.platform}-${process.arch}.cache`;
}

const DIGEST_BYTES = 20;

/** Of the source too: V8 compares no more of it than its length. */
function digestOf(source: string, code: Uint8Array): Buffer {
  return createHash('sha1').update(source).update(code).digest();
}

function readCache(path: string, source: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const code = bytes.subarray(DIGEST_BYTES);
    const isWhole = digestOf(source, code).equals(bytes.subarray(0, DIGEST_BYTES));
    return isWhole ? code : undefined;
  } catch {
    return undefined;
  }
}

/** In one step, since several processes may start at once, and may be killed. */
function writeCache(path: string, source: string, code: Buffer): void {
  const temporary = `${path}.${process.pid}`;
  try {
    const descriptor = openSync(temporary, 'wx', 0o644);
    try {
      writeFileSync(descriptor, Buffer.concat([digestOf(source, code), code]));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch {
    // A read-only installation or a full disk: the next start compiles again.
    rmSync(temporary, { force: true });
  }
}
