import type { LoadedPlan, Workspace } from '@parallel-executor/core';
import { loadPlanReader, redactSecrets, renderDiagnostics } from '@parallel-executor/core';
import type { Context } from '../context';
import { planFileOf } from '../context';

export interface PlanChoice {
  readonly plan?: string | undefined;
  readonly agents?: number | undefined;
  readonly json?: boolean | undefined;
}

type ValidPlan = Extract<LoadedPlan, { readonly ok: true }>;

/** Opens the workspace to read a plan in it: while git is asked about the checkout, there is time. */
export function openForPlan(context: Context): Promise<Workspace> {
  const opening = context.openWorkspace();
  loadPlanReader();
  return opening;
}

/**
 * Loads the chosen plan and prints its warnings on stderr. `null` when it is invalid: every error has
 * been shown (with `--json` also as an object on stdout), and nothing was created.
 */
export async function loadChosenPlan(
  context: Context,
  workspace: Workspace,
  positional: string | undefined,
  choice: PlanChoice,
): Promise<ValidPlan | null> {
  const file = planFileOf(context, positional, choice.plan);
  const loaded = await workspace.loadPlan({
    ...(file === undefined ? {} : { file }),
    ...(choice.agents === undefined ? {} : { maxAgents: choice.agents }),
  });
  if (loaded.ok) {
    if (loaded.warnings.length > 0) {
      context.deps.stderr.write(shown(context, loaded.warnings, loaded.text));
    }
    return loaded;
  }
  context.deps.stderr.write(shown(context, loaded.diagnostics, loaded.text));
  if (choice.json === true) {
    context.answerJson({
      schemaVersion: 1,
      error: 'invalid plan',
      file: loaded.file,
      diagnostics: loaded.diagnostics,
    });
  }
  return null;
}

/** Diagnostics show lines of the plan, which may hold a secret. */
function shown(context: Context, ...what: Parameters<typeof renderDiagnostics>): string {
  return redactSecrets(renderDiagnostics(...what), context.deps.env);
}
