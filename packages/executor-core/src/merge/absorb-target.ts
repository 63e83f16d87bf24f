import type { Failure } from '../model/failure';
import type { Git } from '../ports/git';
import { createCommitter } from './commit';
import type { RefGuard } from './land';
import { advanceIntegration, readRef } from './land';
import { isAncestor } from './landed';
import { mergeInMemory } from './merge-tree';
import type { VerifyTree } from './remember-verdicts';

export interface AbsorbRequest {
  readonly git: Git;
  readonly root: string;
  /** Full name of the integration branch; it exists. */
  readonly ref: string;
  /** Tip of the target branch, from `publishTarget`. */
  readonly tip: string;
  /** `null`: the plan has no checks. */
  readonly verify: VerifyTree | null;
  /** Who may land. */
  readonly fence?: RefGuard;
}

export type AbsorbResult =
  | { readonly kind: 'absorbed'; readonly commit: string }
  | { readonly kind: 'conflict'; readonly paths: readonly string[] }
  /** The merged tree failed its checks. */
  | { readonly kind: 'rejected'; readonly failure: Failure }
  /** The integration branch moved meanwhile; try again. */
  | { readonly kind: 'stale' };

/**
 * Takes commits made on the target branch while the run went on into the integration branch, so that
 * the target can be fast-forwarded afterwards: a merge commit with the integration tip as its first
 * parent, which keeps the chain of landed tasks readable. Rejects with `TakenOver` when the fence was moved.
 */
export async function absorbTarget(request: AbsorbRequest): Promise<AbsorbResult> {
  const { git, root, ref, tip, verify, fence: guard } = request;
  const from = await readRef(git, root, ref);
  if (from === null) throw new Error(`${ref} does not exist.`);
  if (await isAncestor(git, root, tip, from)) return { kind: 'absorbed', commit: from };
  const merged = await mergeInMemory(git, root, from, tip);
  if (merged.kind === 'conflict') return { kind: 'conflict', paths: merged.paths };
  const message = `Merge the target branch\n\nCommits made on it while the run went on.\n`;
  const committer = createCommitter(git, root);
  const commit = await committer.commit({ tree: merged.tree, parents: [from, tip], message });
  const failure = verify === null ? null : await verify(commit, merged.tree, from);
  if (failure !== null) return { kind: 'rejected', failure };
  const moved = await advanceIntegration({ git, root, ref, from, to: commit, guard });
  return moved === 'moved' ? { kind: 'absorbed', commit } : { kind: 'stale' };
}
