import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import { hasMarkers } from './ladder/merge-parts';
import type { MergeResult, StagedEntry } from './merge-tree';

export interface OpenConflictRequest {
  readonly git: Git;
  readonly fs: FileSystem;
  /** A linked worktree whose HEAD, index and files are those of the commit to land on. */
  readonly worktree: string;
  /** The folder of the worktree's own index and HEAD. */
  readonly gitDir: string;
  /** What merging the candidate onto that commit gave. */
  readonly merge: MergeResult;
  /** Candidate commit. */
  readonly theirs: string;
  /** For `MERGE_MSG`: what git offers as the message of a commit made there. */
  readonly message: string;
}

const NOTHING = '0'.repeat(40);
const REGULAR = /^100/;

/**
 * Puts a merge into a worktree as `git merge` leaves it: settled files staged, those in conflict with
 * their versions as stages 1 to 3 and standard markers in the style the user has configured, and
 * `MERGE_HEAD`, by which `git status`, `git mergetool` and editors know what is going on. Done again on
 * the same worktree it gives the same; what was written there meanwhile is lost. Rejects with `GitError`.
 */
export async function openConflict(request: OpenConflictRequest): Promise<void> {
  const { git, fs, worktree: cwd, gitDir, merge, theirs, message } = request;
  await git.text(['read-tree', '--reset', '-u', merge.tree], { cwd });
  const entries = merge.kind === 'conflict' ? merge.entries : [];
  if (entries.length > 0) {
    const stdin = indexInfo(entries);
    await git.text(['update-index', '-z', '--index-info'], { cwd, stdin });
  }
  // The markers of the merge in memory name commits; git's own say whose version is whose.
  const texts = markedPaths(entries);
  if (texts.length > 0) {
    const stdin = texts.map((path) => `:(top,literal)${path}\0`).join('');
    const from = ['--pathspec-from-file=-', '--pathspec-file-nul'];
    await git.text(['checkout', '--quiet', '--merge', ...from], { cwd, stdin });
  }
  await fs.replace(join(gitDir, 'MERGE_MSG'), message);
  await fs.replace(join(gitDir, 'MERGE_MODE'), '');
  await fs.replace(join(gitDir, 'MERGE_HEAD'), `${theirs}\n`);
}

/** A path in conflict has no entry of stage 0: the first line takes it out. */
function indexInfo(entries: readonly StagedEntry[]): string {
  const paths = [...new Set(entries.map(({ path }) => path))];
  const removed = paths.map((path) => `0 ${NOTHING}\t${path}\0`);
  const staged = entries.map(({ mode, id, stage, path }) => `${mode} ${id} ${stage}\t${path}\0`);
  return [...removed, ...staged].join('');
}

/** Both sides have a file there, so that its lines can be merged. */
function markedPaths(entries: readonly StagedEntry[]): readonly string[] {
  const sides = new Map<string, number>();
  for (const { path, stage, mode } of entries) {
    if (stage > 1 && REGULAR.test(mode)) sides.set(path, (sides.get(path) ?? 0) + 1);
  }
  return [...sides].filter(([, count]) => count === 2).map(([path]) => path);
}

/**
 * Ends the merge in a worktree, whoever left it how: it has the index of `tree`, no unmerged entry and no
 * `MERGE_HEAD`; its files stay as they are. Nobody may be at work there. Rejects with `GitError`.
 */
export async function closeConflict(
  { git, fs, worktree, gitDir }: Pick<OpenConflictRequest, 'git' | 'fs' | 'worktree' | 'gitDir'>,
  tree: string,
): Promise<void> {
  // The first is left behind by a git that was killed.
  for (const name of ['index.lock', 'MERGE_HEAD', 'MERGE_MODE', 'MERGE_MSG', 'AUTO_MERGE']) {
    await fs.removeFile(join(gitDir, name));
  }
  await git.text(['read-tree', '--reset', tree], { cwd: worktree });
}

/** What is left to do in a worktree with a conflict. */
export interface OpenConflict {
  /** Paths whose versions are still apart in the index: nobody said `git add` or `git rm`. */
  readonly unmerged: readonly string[];
  /** Of `paths`, those with conflict markers that no version in the index explains. */
  readonly marked: readonly string[];
}

/** Looks at a worktree of `openConflict`; `paths`: those that were in conflict. */
export async function lookAtConflict(
  { git, fs }: Pick<OpenConflictRequest, 'git' | 'fs'>,
  worktree: string,
  paths: readonly string[],
): Promise<OpenConflict> {
  const listed = await git.text(['ls-files', '--unmerged', '-z'], { cwd: worktree });
  const unmerged = new Set(
    listed.split('\0').flatMap((line) => (line === '' ? [] : [line.slice(line.indexOf('\t') + 1)])),
  );
  const marked: string[] = [];
  for (const path of paths) {
    const before = await git.run(['cat-file', 'blob', `HEAD:${path}`], { cwd: worktree });
    if (before.exitCode === 0 && hasMarkers(before.stdout)) continue;
    // A folder, or nothing, may be there by now.
    const text = await fs.readText(join(worktree, path)).catch(() => null);
    if (text !== null && hasMarkers(text)) marked.push(path);
  }
  return { unmerged: [...unmerged].sort(), marked };
}
