import type { Cost } from './cost';
import type { ResolvedPath } from './resolved-path';

/** An attempt's result on its way to the target branch. `commit` is kept under `ref`. */
export interface Candidate {
  readonly commit: string;
  readonly tree: string;
  readonly base: string;
  readonly ref: string;
  /** Fencing token of the lease under which it was made. */
  readonly fence: number;
  /** `true` when the agent changed nothing: there is no commit to land. */
  readonly noop: boolean;
  /** Why the agent says that nothing is to be changed, where it said so. */
  readonly noopReason?: string;
  /** Observed writes, repository paths; at most 20, `fileCount` tells them all. */
  readonly files: readonly string[];
  readonly fileCount: number;
  /** Of all attempts up to this one; absent where no agent told. Work from the cache costs nothing. */
  readonly cost?: Cost;
  /** The paths that were in conflict and were settled while it was made; absent where none was. */
  readonly resolved?: readonly ResolvedPath[];
}
