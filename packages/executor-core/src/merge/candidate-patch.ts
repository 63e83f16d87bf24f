import type { Candidate } from '../model/event';
import type { FileSystem } from '../ports/file-system';
import type { Git, GitResult } from '../ports/git';
import type { CandidateLabel, CandidateResult } from './candidate';
import { commitCandidate } from './candidate';
import { withScratchFile } from './temporary-index';

/** The user's white-space settings may not change what a patch does. */
const EXACT = ['-c', 'apply.whitespace=nowarn', '-c', 'apply.ignoreWhitespace=no'];

/**
 * The change a candidate makes, as a patch that needs nothing but a tree to apply to: whole object
 * ids, binary files included. Byte for byte as git wrote it (text files need not be UTF-8); empty for
 * a noop.
 */
export async function candidatePatch(
  git: Git,
  root: string,
  { base, tree }: Pick<Candidate, 'base' | 'tree'>,
): Promise<Buffer> {
  const objects = git.objects(root);
  return objects.patch((await objects.readCommit(base)).tree, tree);
}

export interface PatchRequest extends CandidateLabel {
  readonly git: Git;
  readonly fs: FileSystem;
  /** Top level of a checkout; neither its files nor its index are touched. */
  readonly root: string;
  /** Commit the patch is applied to: the base of the candidate. */
  readonly onto: string;
  /** From `candidatePatch`. */
  readonly patch: Buffer;
}

/**
 * Makes a candidate again from its stored patch, on another base. Where the surroundings have changed
 * a three-way merge is tried; fails with `conflict` when that does not fit either.
 */
export async function candidateFromPatch(request: PatchRequest): Promise<CandidateResult> {
  const { git, fs, root, onto, patch } = request;
  const gitDir = await git.text(['rev-parse', '--absolute-git-dir'], { cwd: root });
  return withScratchFile({ fs, gitDir }, async (index) => {
    const env = { GIT_INDEX_FILE: index };
    const apply = (...how: readonly string[]): Promise<GitResult> =>
      git.run([...EXACT, 'apply', '--cached', ...how, '-'], { cwd: root, env, stdin: patch });
    await git.text(['read-tree', onto], { cwd: root, env });
    if (patch.length > 0) {
      const direct = await apply('--binary');
      const applied = direct.exitCode === 0 ? direct : await apply('--3way');
      if (applied.exitCode !== 0) {
        const paths = await conflictingPaths(request, env);
        return { failure: { kind: 'conflict', paths, onto } };
      }
    }
    const tree = await git.text(['write-tree'], { cwd: root, env });
    return commitCandidate(request, onto, tree);
  });
}

/** What the three-way merge left unmerged; all paths of the patch when it did not get that far. */
async function conflictingPaths(
  { git, root, patch }: PatchRequest,
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const unmerged = await git.run(['ls-files', '--unmerged', '-z'], { cwd: root, env });
  const left = afterTab(unmerged.stdout, 1);
  if (left.length > 0) return left;
  const listed = await git.run(['apply', '--numstat', '-z', '-'], { cwd: root, env, stdin: patch });
  return afterTab(listed.stdout, 2);
}

/** The distinct last columns of NUL-ended rows with `tabs` tabs before it; a path may hold more tabs. */
function afterTab(rows: string, tabs: number): readonly string[] {
  const fields = rows.split('\0').filter((row) => row !== '');
  return [...new Set(fields.map((row) => row.split('\t').slice(tabs).join('\t')))].sort();
}
