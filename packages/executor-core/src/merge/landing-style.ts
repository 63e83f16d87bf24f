import type { Merger } from './merge-strategy';

/** How the plan wants the work of its tasks merged and committed. */
export interface LandingStyle {
  readonly merge: Merger;
}
