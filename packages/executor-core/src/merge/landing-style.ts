import type { CommitSettings } from '../model/task';
import type { Merger } from './merge-strategy';

/** How the plan wants the work of its tasks merged and committed. */
export interface LandingStyle {
  readonly merge: Merger;
  /** Of the commit each task lands as. Default: by the user, unsigned. */
  readonly commit?: CommitSettings;
  /** The candidate becomes the second parent of the commit by which it lands. */
  readonly mergeCommits?: boolean;
}
