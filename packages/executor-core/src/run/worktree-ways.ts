import { join } from 'node:path';
import { chooseWay, LARGE_REPOSITORY, type WorktreeWay } from '../isolate/worktree-way';
import { stateFolder } from '../isolate/worktree-site';
import type { Plan, Settings, Task, WorktreeChoice } from '../model/task';
import { UserError } from '../model/user-error';
import type { FileSystem } from '../ports/file-system';
import type { Engine } from './engine';
import type { Toolbox } from './toolbox';

/** Chooses how the worktrees of a run's tasks come to their files; the repository is looked at once. */
export function wayChooser(
  {
    tools,
    repository,
  }: Pick<Engine, 'repository'> & { readonly tools: Pick<Toolbox, 'fs' | 'mounts'> },
  settings: Settings,
): (task: Task) => Promise<WorktreeWay> {
  let counted: Promise<number> | null = null;
  return async (task) => {
    counted ??= indexedFiles(tools.fs, repository.gitDir);
    const files = await counted;
    const canOverlay =
      mayNeedOverlay(settings.worktrees ?? 'auto', files) &&
      (await overlayProblem(tools, repository.commonDir)) === null;
    return chooseWay(task, settings, { files, canOverlay });
  };
}

/** Tried in a folder that `sweepWorktrees` clears, should a kill meet the trial. */
async function overlayProblem(
  { fs, mounts }: Pick<Toolbox, 'fs' | 'mounts'>,
  commonDir: string,
): Promise<string | null> {
  await fs.makeDir(stateFolder(commonDir));
  return mounts.problem(stateFolder(commonDir));
}

function mayNeedOverlay(choice: WorktreeChoice, files: number): boolean {
  return choice === 'auto' ? files > LARGE_REPOSITORY : choice !== 'full';
}

/** Throws `UserError` when the plan wants overlays and none can be had. */
export async function checkWorktrees(
  {
    tools,
    repository,
  }: Pick<Engine, 'repository'> & { readonly tools: Pick<Toolbox, 'fs' | 'mounts'> },
  { settings }: Plan,
): Promise<void> {
  if (settings.worktrees !== 'overlay') return;
  const problem = await overlayProblem(tools, repository.commonDir);
  if (problem === null) return;
  throw new UserError(
    'environment',
    `The plan sets worktrees: overlay, but ${problem}.`,
    'Run as root on Linux, or set worktrees: auto.',
  );
}

/** Files of the main checkout, which its index counts in bytes 8 to 11 (gitformat-index(5)); 0 without one. */
async function indexedFiles(fs: FileSystem, gitDir: string): Promise<number> {
  const index = await fs.readFrom(join(gitDir, 'index'), 0);
  return index.length < 12 ? 0 : index.readUInt32BE(8);
}
