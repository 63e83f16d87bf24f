import type { GitOptions } from '../ports/git';
import type { AdminEntry } from './admin-entry';
import { coneOfPatterns, isInCone, sparseFile } from './sparse-cone';
import type { WorktreeSite } from './worktree-site';

/** Has git look whether a file that was left out on purpose is there all the same. */
export const SEE_EVERYTHING = [
  ...['-c', 'core.sparseCheckout=true'],
  ...['-c', 'sparse.expectFilesOutsideOfPatterns=false'],
];

/**
 * In a sparse worktree, files that are not there on purpose are not deleted: marks them in a new index, which
 * has all files of HEAD (`at`), where the worktree's own (`own`) does. Of a worktree that we made sparse it is
 * known what was left out, whatever became of its index; only what the agent itself fetched has no mark
 * there. git takes the mark off again where there is a file, see `SEE_EVERYTHING`.
 */
export async function markLeftOut(
  { git, fs }: Pick<WorktreeSite, 'git' | 'fs'>,
  entry: AdminEntry | null,
  own: GitOptions,
  at: GitOptions,
): Promise<void> {
  const ours = entry?.way === 'sparse' ? await fs.readText(sparseFile(entry.folder)) : null;
  if (ours === null) {
    const config = await git.run(['config', '--type=bool', 'core.sparseCheckout'], own);
    if (config.stdout.trim() !== 'true') return;
  }
  // An index that git cannot read marks nothing.
  const tagged = (await git.run(['ls-files', '-z', '-t'], own)).stdout.split('\0');
  const marked = new Set(tagged.filter((line) => line.startsWith('S ')).map(pathOf));
  const fetched = new Set(tagged.filter((line) => !line.startsWith('S ')).map(pathOf));
  const cone = ours === null ? null : coneOfPatterns(ours);
  const isLeftOut = (path: string): boolean =>
    cone === null ? marked.has(path) : !fetched.has(path) && !isInCone(path, cone);
  const known = (await git.text(['ls-files', '-z'], at)).split('\0').filter(Boolean);
  const stdin = known.filter(isLeftOut).join('\0');
  await git.text(['update-index', '-z', '--skip-worktree', '--stdin'], { ...at, stdin });
}

/** Of a line `TAG PATH`. */
function pathOf(line: string): string {
  return line.slice(2);
}
