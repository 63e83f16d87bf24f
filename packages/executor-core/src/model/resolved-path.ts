/** The rungs of the conflict ladder above a clean merge, lowest first. */
export type Rung = 'rerere' | 'structural' | 'entity' | 'policy' | 'agent' | 'person';

/** How one path in conflict was settled. */
export interface ResolvedPath {
  readonly path: string;
  readonly rung: Rung;
  /** For people: which rule, and what it chose. */
  readonly reason: string;
  /** Blob id of the version that lost something to the other; absent where both are kept whole. */
  readonly loser?: string;
}
