import type { Git, GitResult } from '../ports/git';
import { GitError } from '../ports/git';

export type MergeResult = { readonly kind: 'clean'; readonly tree: string } | ConflictState;

/** A merge that needs decisions, as git left it. */
export interface ConflictState {
  readonly kind: 'conflict';
  /** What a person has to look at, sorted, at least one where git names any. */
  readonly paths: readonly string[];
  /** The merged files, and with conflict markers those in conflict. */
  readonly tree: string;
  /** The versions of each path in conflict. */
  readonly entries: readonly StagedEntry[];
  readonly notes: readonly MergeNote[];
}

/** One version of a path in conflict: `stage` 1 is the base, 2 ours, 3 theirs. */
export interface StagedEntry {
  readonly mode: string;
  readonly id: string;
  readonly stage: number;
  readonly path: string;
}

/** What git says of some paths; `type` is stable, e.g. `Auto-merging`, `CONFLICT (contents)`. */
export interface MergeNote {
  readonly type: string;
  readonly paths: readonly string[];
}

/** The labels of the conflict markers: what git was told to merge. */
export interface MergeSides {
  readonly left: string;
  readonly right: string;
}

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
  return mergeSides(git, cwd, await sidesOf(git, cwd, ours, theirs, base));
}

/** The commits to merge so that git takes `base`, where it is given, for their merge base. */
export async function sidesOf(
  git: Git,
  cwd: string,
  ours: string,
  theirs: string,
  base?: string,
): Promise<MergeSides> {
  if (base === undefined) return { left: ours, right: theirs };
  return { left: await graft(git, cwd, ours, base), right: await graft(git, cwd, theirs, base) };
}

/** As `mergeInMemory`; `config`: settings of git for this merge, such as `merge.conflictStyle=diff3`. */
export async function mergeSides(
  git: Git,
  cwd: string,
  { left, right }: MergeSides,
  config: readonly string[] = [],
): Promise<MergeResult> {
  const settings = [RENAME_LIMIT, ...config].flatMap((setting) => ['-c', setting]);
  const args = [...settings, 'merge-tree', '--write-tree', '-z', left, right];
  return interpret(args, await git.run(args, { cwd }));
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
  const { conflicted: paths, tree, entries, notes } = answer;
  return { kind: 'conflict', paths, tree, entries, notes };
}

export interface MergeTreeAnswer {
  readonly tree: string;
  /**
   * The distinct paths of `entries`, or, where git lists none (conflicts about whole folders), those
   * of the notes; sorted.
   */
  readonly conflicted: readonly string[];
  readonly entries: readonly StagedEntry[];
  readonly notes: readonly MergeNote[];
}

/**
 * Reads `git merge-tree --write-tree -z`:
 * `TREE NUL { MODE SP OID SP STAGE TAB PATH NUL }* NUL { COUNT NUL { PATH NUL }COUNT TYPE NUL TEXT NUL }*`.
 * `null` when `stdout` has another form.
 */
export function parseMergeTree(stdout: string): MergeTreeAnswer | null {
  const [tree = '', ...fields] = stdout.split('\0');
  if (!/^[0-9a-f]{40,64}$/.test(tree)) return null;
  const end = fields.indexOf('');
  const entries = (end < 0 ? fields : fields.slice(0, end)).map(parseEntry);
  const notes = end < 0 ? [] : parseNotes(fields.slice(end + 1));
  const named = entries.length > 0 ? entries : notes.flatMap(({ paths }) => paths.map(toPath));
  return { tree, conflicted: [...new Set(named.map(({ path }) => path))].sort(), entries, notes };
}

function toPath(path: string): { readonly path: string } {
  return { path };
}

function parseEntry(field: string): StagedEntry {
  const tab = field.indexOf('\t');
  const [mode = '', id = '', stage = ''] = field.slice(0, tab).split(' ');
  return { mode, id, stage: Number(stage), path: field.slice(tab + 1) };
}

function parseNotes(fields: readonly string[]): readonly MergeNote[] {
  const notes: MergeNote[] = [];
  let at = 0;
  while (at < fields.length) {
    const count = Number(fields[at]);
    if (fields[at] === '' || !Number.isInteger(count)) break;
    const paths = fields.slice(at + 1, at + 1 + count);
    notes.push({ type: fields[at + 1 + count] ?? '', paths });
    at += count + 3;
  }
  return notes;
}
