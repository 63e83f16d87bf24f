import type { Plan, RunResult, RunView, StatusJson } from '@parallel-executor/core';
import { landingOf, statusJson } from '@parallel-executor/core';

/** What `status --json` prints, once or for each change: how the run stands, and where its work is. */
export function statusAnswer(
  plan: Plan,
  view: RunView,
  now: number,
  ownerAlive = true,
): StatusJson & Pick<RunResult, 'landing'> {
  return { ...statusJson(view, now, ownerAlive), landing: landingOf(plan, view) };
}
