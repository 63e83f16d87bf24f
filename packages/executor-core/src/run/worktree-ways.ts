import { join } from 'node:path';
import { chooseWay, type WorktreeWay } from '../isolate/worktree-way';
import type { Settings, Task } from '../model/task';
import type { FileSystem } from '../ports/file-system';
import type { Engine } from './engine';

/** Chooses how the worktrees of a run's tasks come to their files; the repository is looked at once. */
export function wayChooser(
  {
    tools,
    repository,
  }: Pick<Engine, 'repository'> & { readonly tools: { readonly fs: FileSystem } },
  settings: Settings,
): (task: Task) => Promise<WorktreeWay> {
  let counted: Promise<number> | null = null;
  const canOverlay = false;
  return async (task) => {
    counted ??= indexedFiles(tools.fs, repository.gitDir);
    return chooseWay(task, settings, { files: await counted, canOverlay });
  };
}

/** Files of the main checkout, which its index counts in bytes 8 to 11 (gitformat-index(5)); 0 without one. */
async function indexedFiles(fs: FileSystem, gitDir: string): Promise<number> {
  const index = await fs.readFrom(join(gitDir, 'index'), 0);
  return index.length < 12 ? 0 : index.readUInt32BE(8);
}
