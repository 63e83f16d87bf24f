import type { Context } from '../context';
import type { ExitCode } from '../exit-codes';
import { ExitCode as Exit } from '../exit-codes';
import { simulate } from '../simulation';
import { simulationText } from '../ui/simulation-text';
import { loadChosenPlan, openForPlan } from './load-plan';

export interface SimulateOptions {
  readonly plan?: string | undefined;
  readonly agents?: readonly number[] | undefined;
  readonly json?: boolean | undefined;
}

const USUAL_AGENTS = [1, 5, 10, 25];

/** `simulate`: what each number of agents would give. Starts nothing. */
export async function execute(
  context: Context,
  positional: string | undefined,
  options: SimulateOptions,
): Promise<ExitCode> {
  const workspace = await openForPlan(context);
  const { plan, json } = options;
  const loaded = await loadChosenPlan(context, workspace, positional, { plan, json });
  if (loaded === null) return Exit.usage;
  const durations = await workspace.durations(loaded.plan);
  const answer = simulate(loaded.plan, durations, options.agents ?? USUAL_AGENTS);
  if (json === true) context.answerJson(answer);
  else context.answer(simulationText(answer, context.stdoutCapabilities()));
  return Exit.ok;
}
