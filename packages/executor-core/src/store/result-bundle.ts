import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import type * as BundleSchema from './bundle-schema';
import type { BundleFile } from './bundle-schema';

const RESULT = 'result.json';
const PATCH = 'changes.patch';

/** A finished task on its way to another process, run or machine. */
export interface Bundle {
  readonly task: TaskId;
  /** What the work depends on (cache key): the same key means the same work. */
  readonly key: string;
  /** Commit the patch applies to, full object name. */
  readonly base: string;
  /** Commit and tree of the candidate; known only where that repository is at hand. */
  readonly commit?: string | undefined;
  readonly tree?: string | undefined;
  /** `true` when the agent changed nothing; the patch is empty then. */
  readonly noop: boolean;
  /** Changed repository paths, possibly only the first ones; `fileCount` tells them all. */
  readonly files: readonly string[];
  readonly fileCount: number;
  /** Message of the commit that will land. */
  readonly message: string;
  /** Binary git patch from `base`. */
  readonly patch: Buffer;
}

/** A bundle, or the reason why there is none to use (missing, damaged, of another task). */
export type BundleReading =
  | { readonly bundle: Bundle; readonly reason: null }
  | { readonly bundle: null; readonly reason: string };

/**
 * Writes `<outDir>/<task>/{changes.patch, result.json}` and returns the folder. The same bundle gives
 * the same bytes, whatever the time and the order of `files`. `result.json` comes last and names the
 * patch by its hash, so a crash in between leaves nothing that reads as a bundle.
 */
export async function writeBundle(fs: FileSystem, outDir: string, bundle: Bundle): Promise<string> {
  const dir = join(outDir, bundle.task);
  const { patch } = bundle;
  const result: BundleFile = {
    schemaVersion: 1,
    task: bundle.task,
    key: bundle.key,
    base: bundle.base,
    commit: bundle.commit,
    tree: bundle.tree,
    noop: bundle.noop,
    files: [...bundle.files].sort(),
    fileCount: bundle.fileCount,
    message: bundle.message,
    patchSha256: sha256(patch),
  };
  await fs.makeDir(dir);
  await fs.replace(join(dir, PATCH), patch);
  await fs.replace(join(dir, RESULT), `${JSON.stringify(result, null, 2)}\n`);
  return dir;
}

/** Reads the bundle of `task` and proves that it is whole; whatever is wrong is told, never thrown. */
export async function readBundle(
  fs: FileSystem,
  outDir: string,
  task: TaskId,
): Promise<BundleReading> {
  const dir = join(outDir, task);
  const text = await fs.readText(join(dir, RESULT));
  if (text === null) return none('there is no result bundle');
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- most processes read no bundle
  const { bundleFile } = require('./bundle-schema') as typeof BundleSchema;
  const parsed = bundleFile.safeParse(parseJson(text));
  if (!parsed.success) return none(`${RESULT} is damaged or of a later version`);
  const { data } = parsed;
  if (data.task !== task) return none(`${RESULT} belongs to task ${data.task}`);
  const patch = await fs.readFrom(join(dir, PATCH), 0);
  if (sha256(patch) !== data.patchSha256) return none(`${PATCH} is not the one ${RESULT} names`);
  return { bundle: toBundle(data, task, patch), reason: null };
}

function toBundle(data: BundleFile, task: TaskId, patch: Buffer): Bundle {
  const { key, base, commit, tree, noop, files, fileCount, message } = data;
  return { task, key, base, commit, tree, noop, files, fileCount, message, patch };
}

function none(reason: string): BundleReading {
  return { bundle: null, reason };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
