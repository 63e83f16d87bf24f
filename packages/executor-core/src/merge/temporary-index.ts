import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';

let made = 0;

/** Where a scratch file for git may lie: on the file system of the index, out of everybody's sight. */
export interface Scratch {
  readonly git: Git;
  readonly fs: FileSystem;
  /** A checkout no agent writes to: the repository's objects are asked for from here. */
  readonly root: string;
  /** A working tree. */
  readonly cwd: string;
  /** Its private git folder. */
  readonly gitDir: string;
}

/**
 * Calls `body` with the name of a file that does not exist yet, in the private git folder of the
 * working tree, and removes the file (and a lock git left on it) afterwards.
 */
export async function withScratchFile<T>(
  { fs, gitDir }: Pick<Scratch, 'fs' | 'gitDir'>,
  body: (path: string) => Promise<T>,
): Promise<T> {
  made += 1;
  const path = join(gitDir, `parallel-${process.pid}-${made}.tmp`);
  try {
    return await body(path);
  } finally {
    await fs.removeFile(path);
    await fs.removeFile(`${path}.lock`);
  }
}
