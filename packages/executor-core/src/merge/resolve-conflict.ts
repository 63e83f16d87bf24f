import type { ConflictPolicy } from '../model/task';
import type { Git } from '../ports/git';
import type { Merger } from './merge-strategy';
import { mergeInMemory } from './merge-tree';

export interface ResolveRequest {
  readonly git: Git;
  readonly cwd: string;
  /** Commit to land on. */
  readonly ours: string;
  /** Candidate commit. */
  readonly theirs: string;
  /** Base of the candidate, when `ours` does not contain it: its own changes are carried over. */
  readonly base?: string;
  readonly policy: ConflictPolicy;
  /** How the plan wants changes to be merged; by default as git does. */
  readonly merge?: Merger | undefined;
}

export type Resolution =
  | { readonly kind: 'merged'; readonly tree: string; readonly rung: 'clean' }
  /** `rerun`: the task starts again from the new base; `person`: it waits for somebody's decision. */
  | {
      readonly kind: 'unresolved';
      readonly paths: readonly string[];
      readonly next: 'rerun' | 'person';
    };

/**
 * The conflict ladder: rungs are tried in order, the first that gives a tree wins. Today: a clean
 * merge, then a rerun on the new base (or a person, under the policy `manual`). A rung may never drop a
 * line silently; what it yields is verified like any other merged tree.
 */
export async function resolveConflict(request: ResolveRequest): Promise<Resolution> {
  const { git, cwd, ours, theirs, base, policy, merge = mergeInMemory } = request;
  const merged = await merge(git, cwd, ours, theirs, base);
  if (merged.kind === 'clean') return { kind: 'merged', tree: merged.tree, rung: 'clean' };
  return {
    kind: 'unresolved',
    paths: merged.paths,
    next: policy === 'manual' ? 'person' : 'rerun',
  };
}
