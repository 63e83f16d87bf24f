import type { Git, GitResult } from '../ports/git';
import { GitError } from '../ports/git';

export type MergeResult =
  | { readonly kind: 'clean'; readonly tree: string }
  /** `paths`: what a person has to look at, sorted, at least one where git names any. */
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

/** Renames are looked for among this many files at most, whatever the user has configured. */
export const RENAME_LIMIT = 'merge.renameLimit=7000';
/** Author and committer of the helper commits of an explicit merge base; they are never referenced. */
export const NOBODY = {
  GIT_AUTHOR_NAME: 'parallel',
  GIT_AUTHOR_EMAIL: 'parallel@localhost',
  GIT_COMMITTER_NAME: 'parallel',
  GIT_COMMITTER_EMAIL: 'parallel@localhost',
};

/**
 * Merges two commits without touching any working tree, index or ref. With `base` (a commit) the
 * changes from `base` to each side are merged, whatever the history of the sides says; without it git
 * finds the merge base. Throws `GitError` when git cannot answer, e.g. because an object is missing.
 */
export async function mergeInMemory(
  git: Git,
  cwd: string,
  ours: string,
  theirs: string,
  base?: string,
): Promise<MergeResult> {
  const [left, right] =
    base === undefined
      ? [ours, theirs]
      : [await graft(git, cwd, ours, base), await graft(git, cwd, theirs, base)];
  const args = ['-c', RENAME_LIMIT, 'merge-tree', '--write-tree', '-z', left, right];
  const result = await git.run(args, { cwd });
  return interpret(args, result);
}

/** A commit with the tree of `commit` and `base` as its parent: `--merge-base` came with git 2.40. */
export function graft(git: Git, cwd: string, commit: string, base: string): Promise<string> {
  const args = ['commit-tree', `${commit}^{tree}`, '-p', base, '-m', 'merge side'];
  return git.text(args, { cwd, env: NOBODY });
}

function interpret(args: readonly string[], result: GitResult): MergeResult {
  const { exitCode, stdout } = result;
  const answer = exitCode === 0 || exitCode === 1 ? parseMergeTree(stdout) : null;
  if (answer === null) throw new GitError(args, result);
  if (exitCode === 0) return { kind: 'clean', tree: answer.tree };
  return { kind: 'conflict', paths: answer.conflicted };
}

/**
 * Reads `git merge-tree --write-tree -z`:
 * `TREE NUL { MODE SP OID SP STAGE TAB PATH NUL }* NUL { COUNT NUL { PATH NUL }COUNT TYPE NUL TEXT NUL }*`.
 * `conflicted`: the distinct paths of the first list, or, where git lists none (conflicts about whole
 * folders), those of the messages; sorted. `null` when `stdout` has another form.
 */
export function parseMergeTree(
  stdout: string,
): { readonly tree: string; readonly conflicted: readonly string[] } | null {
  const [tree = '', ...fields] = stdout.split('\0');
  if (!/^[0-9a-f]{40,64}$/.test(tree)) return null;
  const end = fields.indexOf('');
  const entries = end < 0 ? fields : fields.slice(0, end);
  const staged = entries.map((entry) => entry.slice(entry.indexOf('\t') + 1));
  const paths = staged.length > 0 || end < 0 ? staged : messagePaths(fields.slice(end + 1));
  return { tree, conflicted: [...new Set(paths)].sort() };
}

function messagePaths(fields: readonly string[]): readonly string[] {
  const paths: string[] = [];
  let at = 0;
  while (at < fields.length) {
    const count = Number(fields[at]);
    if (fields[at] === '' || !Number.isInteger(count)) break;
    paths.push(...fields.slice(at + 1, at + 1 + count));
    at += count + 3;
  }
  return paths;
}
