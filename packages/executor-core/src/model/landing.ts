import type { RunId } from './ids';

/** Branch a run lands on. No task id starts with an underscore, so this never collides with a candidate's ref. */
export function integrationRef(run: RunId): string {
  return `refs/parallel/${run}/_integration`;
}
