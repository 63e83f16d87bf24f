import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { forecast } from '../forecast';
import { forecastText } from '../ui/forecast-text';
import type { PlanChoice } from './load-plan';
import { loadChosenPlan, openForPlan } from './load-plan';

/** `plan` (and `run --dry-run`): what would run when, and why. Starts nothing. */
export async function execute(
  context: Context,
  positional: string | undefined,
  options: PlanChoice,
): Promise<ExitCode> {
  const workspace = await openForPlan(context);
  const [loaded, evidence] = await Promise.all([
    loadChosenPlan(context, workspace, positional, options),
    workspace.forecastEvidence(),
  ]);
  if (loaded === null) return Exit.usage;
  const plan = await workspace.withDefaultSetup(loaded.plan);
  const answer = forecast(plan, await workspace.durations(plan), evidence);
  if (options.json === true) context.answerJson(answer);
  else context.answer(forecastText(answer, context.stdoutCapabilities()));
  return Exit.ok;
}
