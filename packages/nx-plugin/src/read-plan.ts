import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  parsePlan,
  PLAN_FILES,
  renderDiagnostics,
  taskKey,
  UserError,
  type Plan,
} from '@parallel-executor/core';

/** A plan, or the rendered diagnostics (file:line:column, excerpt, fix) of an invalid one. */
export type ReadPlan =
  { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly problem: string };

/** Reads and validates the plan `file` (relative to `workspaceRoot`), with its prompt files. */
export function readPlan(workspaceRoot: string, file: string): ReadPlan {
  const text = readFileSync(join(workspaceRoot, file), 'utf8');
  const readPromptFile = (path: string): string | null => readIfThere(join(workspaceRoot, path));
  const parsed = parsePlan({ text, file }, { readPromptFile });
  return parsed.ok
    ? { ok: true, plan: parsed.plan }
    : { ok: false, problem: renderDiagnostics(parsed.diagnostics, text) };
}

/** The plan at the workspace root; `null` when there is none, or it is invalid: its target tells that. */
export function planAt(workspaceRoot: string): Plan | null {
  const file = PLAN_FILES.find((name) => existsSync(join(workspaceRoot, name)));
  const read = file === undefined ? null : readPlan(workspaceRoot, file);
  return read?.ok === true ? read.plan : null;
}

/** The keys of the plan at the workspace root; throws `UserError` when it is missing or invalid. */
export function readWorkspacePlan(workspaceRoot: string): {
  /** Digest of what decides the result of a task; throws `UserError` for a task that is not there. */
  readonly keyOf: (task: string) => string;
} {
  const file = PLAN_FILES.find((name) => existsSync(join(workspaceRoot, name)));
  if (file === undefined) throw new UserError('usage', `There is no plan in ${workspaceRoot}.`);
  const read = readPlan(workspaceRoot, file);
  if (!read.ok) throw new UserError('usage', read.problem);
  const { plan } = read;
  return {
    keyOf(id) {
      const task = plan.tasks.find((other) => other.id === id);
      if (task === undefined) throw new UserError('usage', `${file} has no task ${id}.`);
      return taskKey(plan, task);
    },
  };
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
