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

/**
 * Merges many pairs of commits in one process, as `mergeInMemory` merges one: a fraction of the price. Where
 * that fails (git 2.38 cannot do it, an object is missing) each is merged by itself; a pair that cannot be
 * merged at all is `null`.
 */
export async function mergePairs(
  git: Git,
  cwd: string,
  pairs: readonly MergeSides[],
): Promise<readonly (MergeResult | null)[]> {
  if (pairs.length === 0) return [];
  const args = ['-c', RENAME_LIMIT, 'merge-tree', '--write-tree', '-z', '--stdin'];
  const stdin = pairs.map(({ left, right }) => `${left} ${right}\n`).join('');
  const { exitCode, stdout } = await git.run(args, { cwd, stdin });
  const answers = exitCode === 0 ? parseMergeTrees(stdout) : null;
  if (answers?.length === pairs.length) return answers.map(resultOf);
  const merged: (MergeResult | null)[] = [];
  for (const pair of pairs) merged.push(await mergeSides(git, cwd, pair).catch(() => null));
  return merged;
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
  return resultOf({ ...answer, isClean: exitCode === 0 });
}

function resultOf({ isClean, ...answer }: PairAnswer): MergeResult {
  if (isClean) return { kind: 'clean', tree: answer.tree };
  const { conflicted: paths, tree, entries, notes } = answer;
  return { kind: 'conflict', paths, tree, entries, notes };
}

/** One of many answers, which tells by itself whether the merge was clean. */
type PairAnswer = MergeTreeAnswer & { readonly isClean: boolean };

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
  return readAnswer(stdout.split('\0'), 0)?.answer ?? null;
}

/**
 * Reads the same after `--stdin`: `{ STATUS NUL TREE NUL … NUL }*`, where STATUS is 1 for a clean merge, of which
 * nothing but the tree is told, and 0 for a conflict. `null` when `stdout` has another form.
 */
export function parseMergeTrees(stdout: string): readonly PairAnswer[] | null {
  const fields = stdout.split('\0');
  const answers: PairAnswer[] = [];
  // What follows the last NUL is empty.
  for (let at = 0; at < fields.length - 1;) {
    const isClean = fields[at] === '1';
    const read = isClean || fields[at] === '0' ? readAnswer(fields, at + 1, isClean) : null;
    if (read === null) return null;
    answers.push({ ...read.answer, isClean });
    at = read.next;
  }
  return answers;
}

/** `next`: where the field is that follows the answer. */
function readAnswer(
  fields: readonly string[],
  start: number,
  treeAlone = false,
): { readonly answer: MergeTreeAnswer; readonly next: number } | null {
  const tree = fields[start] ?? '';
  if (!/^[0-9a-f]{40,64}$/.test(tree)) return null;
  const blank = fields.indexOf('', start + 1);
  const end = blank < 0 ? fields.length : blank;
  const entries = fields.slice(start + 1, end).map(parseEntry);
  const { notes, next } = treeAlone ? { notes: [], next: end + 1 } : readNotes(fields, end + 1);
  const named = entries.length > 0 ? entries : notes.flatMap(({ paths }) => paths.map(toPath));
  const conflicted = [...new Set(named.map(({ path }) => path))].sort();
  return { answer: { tree, conflicted, entries, notes }, next };
}

function toPath(path: string): { readonly path: string } {
  return { path };
}

function parseEntry(field: string): StagedEntry {
  const tab = field.indexOf('\t');
  const [mode = '', id = '', stage = ''] = field.slice(0, tab).split(' ');
  return { mode, id, stage: Number(stage), path: field.slice(tab + 1) };
}

/** `next`: behind the empty field that ends them. */
function readNotes(
  fields: readonly string[],
  start: number,
): { readonly notes: readonly MergeNote[]; readonly next: number } {
  const notes: MergeNote[] = [];
  let at = start;
  while (at < fields.length) {
    const count = Number(fields[at]);
    if (fields[at] === '' || !Number.isInteger(count)) break;
    const paths = fields.slice(at + 1, at + 1 + count);
    notes.push({ type: fields[at + 1 + count] ?? '', paths });
    at += count + 3;
  }
  return { notes, next: at + 1 };
}
