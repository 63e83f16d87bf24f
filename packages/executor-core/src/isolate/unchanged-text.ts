import type { FileSystem } from '../ports/file-system';

/** What is remembered per file system; small texts, and few of them change. */
const MOST = 1000;

interface Known {
  readonly stamp: string;
  readonly text: string;
}

const known = new WeakMap<FileSystem, Map<string, Known>>();

/**
 * Text of a small file, or `null` when it is missing. A file that is still the one read before, by its
 * stamp, is not read again: to ask costs a fifth of opening it, and git's list of worktrees is looked
 * through again and again.
 */
export async function readUnchanged(fs: FileSystem, path: string): Promise<string | null> {
  const files = known.get(fs) ?? new Map<string, Known>();
  known.set(fs, files);
  const stamp = await fs.stamp(path);
  const before = files.get(path);
  if (stamp !== null && before?.stamp === stamp) return before.text;
  files.delete(path);
  // The stamp is the older of the two: what changes in between is read again the next time.
  const text = stamp === null ? null : await fs.readText(path);
  if (stamp === null || text === null) return null;
  if (files.size >= MOST) files.clear();
  files.set(path, { stamp, text });
  return text;
}
