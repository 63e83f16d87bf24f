import type { Plan, Settings } from '@parallel-executor/core';
import type { Context } from '../context';
import { driveRun } from '../drive-run';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import type { ProgressChoice } from '../ui/progress-choice';
import type { PlanChoice } from './load-plan';
import { loadChosenPlan, openForPlan } from './load-plan';

export interface RunOptions extends PlanChoice {
  readonly dryRun?: boolean | undefined;
  readonly progress: ProgressChoice;
  readonly land?: Settings['land'] | undefined;
  readonly squash?: boolean | undefined;
  readonly mergeCommits?: boolean | undefined;
}

/** `run` without `--dry-run`: starts the plan in this process and stays until it is over. */
export async function execute(
  context: Context,
  positional: string | undefined,
  options: RunOptions,
): Promise<ExitCode> {
  const workspace = await openForPlan(context);
  const loaded = await loadChosenPlan(context, workspace, positional, options);
  if (loaded === null) return Exit.usage;
  const run = await workspace.start(landingAs(loaded.plan, options), { frontDoor: 'cli' });
  return driveRun(context, run, { progress: options.progress, json: options.json === true });
}

/** The plan with what the command line says about landing. */
function landingAs(plan: Plan, { land, squash, mergeCommits }: RunOptions): Plan {
  const commits: Settings['commits'] =
    squash === true ? 'squash' : mergeCommits === true ? 'merge' : undefined;
  const chosen = {
    ...(land === undefined ? {} : { land }),
    ...(commits === undefined ? {} : { commits }),
  };
  return { ...plan, settings: { ...plan.settings, ...chosen } };
}
