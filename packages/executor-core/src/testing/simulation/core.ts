import { decide } from '../../schedule/decide';
import { evolve } from '../../schedule/evolve';
import { prepareProblem } from '../../schedule/problem';
import { initialState } from '../../schedule/run-state';

/** The scheduler as the simulation sees it, so that a changed one can be put in its place. */
export interface Core {
  readonly decide: typeof decide;
  readonly evolve: typeof evolve;
  readonly prepareProblem: typeof prepareProblem;
  readonly initialState: typeof initialState;
}

/** The scheduler as it is. */
export const CORE: Core = { decide, evolve, prepareProblem, initialState };

/** The scheduler did what it must not do, or did not do what it must. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Throws `Violation` unless `condition` holds. */
export function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Violation(what());
}
