/** The rungs of the conflict ladder between a clean merge and a person, lowest first. */
export type Rung = 'rerere' | 'structural' | 'entity' | 'policy';

/** How one path in conflict was settled without a person. */
export interface ResolvedPath {
  readonly path: string;
  readonly rung: Rung;
  /** For people: which rule, and what it chose. */
  readonly reason: string;
  /** Blob id of the version that lost something to the other; absent where both are kept whole. */
  readonly loser?: string;
}
