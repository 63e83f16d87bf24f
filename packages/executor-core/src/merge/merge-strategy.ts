import { join } from 'node:path';
import type { MergeStrategy } from '../model/task';
import type { FileSystem } from '../ports/file-system';
import type { Git, GitOptions } from '../ports/git';
import { GitError } from '../ports/git';
import { graft, mergeInMemory, NOBODY, RENAME_LIMIT } from './merge-tree';

/** Merges two commits, as `mergeInMemory` does. */
export type Merger = typeof mergeInMemory;

/** How the plan wants changes to be merged. */
export interface MergeChoice {
  /** `ours` and `theirs` decide hunks that conflict, nothing else; `ours` is the side that is landed on. */
  readonly strategy: MergeStrategy;
  /** Options of git's merge, as after `-X`. */
  readonly options: readonly string[];
}

export interface MergerContext {
  readonly fs: FileSystem;
  /** Absolute path of git's common folder. */
  readonly commonDir: string;
  /** Absolute path of a folder for short-lived files; made when it is needed. */
  readonly scratch: string;
}

let made = 0;

/**
 * A merge that honours `choice`. `ours` and `theirs` are git's `-X ours` and `-X theirs`: a hunk both
 * sides changed is taken from one side, everything else of both stays. Never the strategy of that name,
 * which throws a whole side away. What no hunk is about (a file one side deleted) stays a conflict.
 *
 * `git merge-tree` takes no such options before git 2.46, so the merge is made by `git merge` in a git
 * folder of its own with an index of its own and nothing checked out; HEAD, index and files of every
 * worktree stay as they are. Where no option is given and nothing conflicts, there is nothing to decide.
 */
export function createMerger(context: MergerContext, choice: MergeChoice): Merger {
  const { strategy, options } = choice;
  if (strategy === 'recursive' && options.length === 0) return mergeInMemory;
  const flags = [...(strategy === 'recursive' ? [] : [strategy]), ...options].map((x) => `-X${x}`);
  return async (git, cwd, ours, theirs, base) => {
    if (options.length === 0) {
      const plain = await mergeInMemory(git, cwd, ours, theirs, base);
      if (plain.kind === 'clean') return plain;
    }
    const [head, other] =
      base === undefined
        ? [await commitId(git, cwd, ours), await commitId(git, cwd, theirs)]
        : [await graft(git, cwd, ours, base), await graft(git, cwd, theirs, base)];
    const sides = { head, other, flags };
    const merged = await inScratch(context, head, (place) => mergeAside(git, place, sides));
    if (merged.kind === 'clean') return merged;
    // What a person or a rule looks at is the conflict as git tells it without any option.
    const plain = await mergeInMemory(git, cwd, ours, theirs, base);
    if (plain.kind === 'conflict') return plain;
    return { kind: 'conflict', paths: merged.paths, tree: plain.tree, entries: [], notes: [] };
  };
}

function commitId(git: Git, cwd: string, commit: string): Promise<string> {
  return git.text(['rev-parse', '--verify', '--end-of-options', `${commit}^{commit}`], { cwd });
}

/** Makes a git folder with a detached HEAD and an empty checkout, and removes both afterwards. */
async function inScratch<T>(
  { fs, commonDir, scratch }: MergerContext,
  head: string,
  body: (place: Pick<GitOptions, 'cwd' | 'env'>) => Promise<T>,
): Promise<T> {
  made += 1;
  const gitDir = join(scratch, `merge-${process.pid}-${made}`);
  const cwd = join(gitDir, 'tree');
  try {
    await fs.makeDir(join(gitDir, 'info'));
    await fs.makeDir(cwd);
    await fs.create(join(gitDir, 'HEAD'), `${head}\n`);
    await fs.create(join(gitDir, 'commondir'), `${commonDir}\n`);
    await fs.create(join(gitDir, 'info', 'sparse-checkout'), '!/*\n');
    return await body({ cwd, env: { ...NOBODY, GIT_DIR: gitDir, GIT_WORK_TREE: cwd } });
  } finally {
    await fs.removeTree(gitDir);
  }
}

/** Nobody's settings change what is merged or write anything beside the index. */
const SETTINGS = [
  ...['-c', RENAME_LIMIT, '-c', 'rerere.enabled=false', '-c', 'core.logAllRefUpdates=false'],
  ...['-c', 'core.sparseCheckout=true', '-c', 'core.sparseCheckoutCone=false'],
];
const MERGE = [
  ...['merge', '--quiet', '--no-commit', '--no-ff', '--no-squash', '--no-autostash'],
  ...['--no-stat', '--no-verify-signatures'],
];

interface Sides {
  /** Commits; `head` is landed on. */
  readonly head: string;
  readonly other: string;
  /** As git takes them: `-X…`. */
  readonly flags: readonly string[];
}

type Aside =
  | { readonly kind: 'clean'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] };

async function mergeAside(
  git: Git,
  place: Pick<GitOptions, 'cwd' | 'env'>,
  { head, other, flags }: Sides,
): Promise<Aside> {
  await git.text(['read-tree', head], place);
  // Older gits look for renames in `ort` whatever they are told; in newer ones both names mean `ort`.
  const backend = flags.includes('-Xno-renames') ? 'recursive' : 'ort';
  const args = [...SETTINGS, ...MERGE, `--strategy=${backend}`, ...flags, other];
  const merged = await git.run(args, place);
  if (merged.exitCode === 0) {
    return { kind: 'clean', tree: await git.text(['write-tree'], place) };
  }
  if (merged.exitCode !== 1) throw new GitError(MERGE, merged);
  const unmerged = await git.text(['ls-files', '--unmerged', '-z'], place);
  const paths = unmerged.split('\0').map((entry) => entry.slice(entry.indexOf('\t') + 1));
  return { kind: 'conflict', paths: [...new Set(paths)].filter((path) => path !== '').sort() };
}
