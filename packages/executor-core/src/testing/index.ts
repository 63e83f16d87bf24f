/** Fixtures for tests of whoever builds on the engine: plans from a few words, journals by hand. */
export {
  candidateOf,
  failed,
  FIXTURE_RUN,
  FIXTURE_START,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from './run-fixture';
export type { TaskSketch } from './run-fixture';
export { makeRepository } from './git-repository';
export type { Files, TestRepository } from './git-repository';
