import { join } from 'node:path';

import type { FileSystem } from '../ports/file-system';

/** What a worktree is shown from, written into its entry before anything is mounted. */
export interface OverlayRecord {
  /** Checkout whose files it shows. */
  readonly lower: string;
  /** Folder of what was written in it: `files`, and the kernel's own `work`. */
  readonly changes: string;
}

const RECORD = 'parallel-overlay';

/** `null` for a worktree that is none. */
export async function readOverlay(
  fs: FileSystem,
  entryFolder: string,
): Promise<OverlayRecord | null> {
  const [lower, changes] = ((await fs.readText(join(entryFolder, RECORD))) ?? '').split('\n');
  return lower && changes ? { lower, changes } : null;
}

export function writeOverlay(
  fs: FileSystem,
  entryFolder: string,
  { lower, changes }: OverlayRecord,
): Promise<void> {
  return fs.replace(join(entryFolder, RECORD), `${lower}\n${changes}\n`);
}
