import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git, GitOptions } from '../ports/git';

/** A git that reads the repository's objects and writes its own elsewhere. */
export interface Quarantine {
  readonly git: Git;
  /** Makes its folder. */
  readonly open: () => Promise<void>;
  /** Deletes whatever was written; the repository never had it. */
  readonly clear: () => Promise<void>;
}

/**
 * A quarantine in `folder` (absolute), as git itself has one for what a push brings: new objects go
 * there, those of the repository are its alternates.
 */
export function quarantineIn(
  folder: string,
  git: Git,
  fs: Pick<FileSystem, 'makeDir' | 'removeTree'>,
  commonDir: string,
): Quarantine {
  const env = {
    GIT_OBJECT_DIRECTORY: folder,
    // Quoted, as a colon would separate two.
    GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(join(commonDir, 'objects')),
  };
  const inside = (options: GitOptions): GitOptions => ({
    ...options,
    env: { ...env, ...options.env },
  });
  return {
    git: {
      run: (args, options) => git.run(args, inside(options)),
      text: (args, options) => git.text(args, inside(options)),
      objects: (root, own = {}) => git.objects(root, { ...env, ...own }),
    },
    open: () => fs.makeDir(folder),
    clear: () => fs.removeTree(folder),
  };
}
