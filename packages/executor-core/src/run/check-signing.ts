import { join } from 'node:path';
import { createCommitter, signsCommits } from '../merge/commit';
import { treeOf } from '../merge/stack';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import { GitError } from '../ports/git';
import type { Engine } from './engine';
import { quarantineIn } from './quarantine';
import { commitsOf } from './style-of-plan';

/**
 * Throws `UserError` when landed commits are to be signed and git cannot: better now than after the
 * agents have worked. What is signed to find out is thrown away.
 */
export async function checkSigning(
  { tools, repository: { root, commonDir, head }, state }: Engine,
  plan: Plan,
): Promise<void> {
  const { git, fs, processes } = tools;
  const { sign } = commitsOf(plan.settings);
  if (sign === 'never' || (sign === 'auto' && !(await signsCommits(git, root)))) return;
  const folder = join(state.stateDir, `signing-${processes.self().pid}`);
  const aside = quarantineIn(folder, git, fs, commonDir);
  try {
    await aside.open();
    const tree = await treeOf(git, root, head);
    const committer = createCommitter(aside.git, root, { author: 'user', sign: 'always' });
    await committer.commit({ tree, parents: [], message: 'Can git sign?\n' });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new UserError(
      'environment',
      `The commits that land are to be signed, and git cannot sign: ${error.result.stderr.trim()}`,
      'Mend that, or write commit: { sign: never } under parallel_executor. Nothing was changed.',
    );
  } finally {
    await aside.clear();
  }
}
