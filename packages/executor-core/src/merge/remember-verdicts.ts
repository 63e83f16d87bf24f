import type { Failure } from '../model/failure';

export interface VerifyHow {
  /** Which of the places where trees are verified to use, from 1; one verification at a time in each. */
  readonly slot: number;
  /** Stops the checks; the verdict is then `interrupted`, which says nothing about the tree. */
  readonly signal?: AbortSignal;
  /** Looks again, unless this tree was looked at twice already. */
  readonly again?: boolean;
}

/** Judges a merged tree before it lands; `null` is green. `base`: tip it would land on. */
export type VerifyTree = (
  commit: string,
  tree: string,
  base: string,
  how?: VerifyHow,
) => Promise<Failure | null>;

/** A stopped check says nothing about the tree; every other failure is a red verdict. */
export function isVerdict(failure: Failure | null): boolean {
  return failure === null || (failure.kind !== 'interrupted' && failure.kind !== 'cancelled');
}

/**
 * `verify` with a memory: a verdict belongs to a tree, so the same tree is not checked twice, and three
 * times never.
 */
export function rememberVerdicts(verify: VerifyTree): VerifyTree {
  const verdicts = new Map<string, { readonly verdict: Failure | null; readonly looks: number }>();
  return async (commit, tree, base, how) => {
    const known = verdicts.get(tree);
    const enough = how?.again === true ? 2 : 1;
    if (known !== undefined && known.looks >= enough) return known.verdict;
    const verdict = await verify(commit, tree, base, how);
    if (isVerdict(verdict)) verdicts.set(tree, { verdict, looks: (known?.looks ?? 0) + 1 });
    return verdict;
  };
}
