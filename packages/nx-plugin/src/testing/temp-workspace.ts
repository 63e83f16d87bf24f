import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A temporary folder with files in it; `remove` takes it away again. */
export interface TempWorkspace {
  readonly root: string;
  write(path: string, content: string | object): void;
  remove(): void;
}

/** Creates a folder with `files` (paths to texts, or to values written as JSON). */
export function tempWorkspace(files: Readonly<Record<string, string | object>>): TempWorkspace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-nx-')));
  const write = (path: string, content: string | object): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(join(root, path), text);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return {
    root,
    write,
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
