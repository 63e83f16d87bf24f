import type { AgentProfile, Plan } from '../model/task';
import { compilePlan } from './compile-plan';
import type { Diagnostic } from './diagnostics';
import { readText } from './read-text';
import { Report } from './report';

/** The text of a plan file. `file`: repository-relative path, for messages and `Plan.file`. */
export interface PlanSource {
  readonly text: string;
  readonly file: string;
}

export interface ParseOptions {
  /** The `--agents` override; it has the range of `max_agents`. */
  readonly maxAgents?: number | undefined;
  /** Agents defined outside the plan; those of the plan win. */
  readonly agents?: readonly AgentProfile[] | undefined;
  /** Text of a repository file for `prompt_file`; `null` when it does not exist. */
  readonly readPromptFile?: ((repoPath: string) => string | null) | undefined;
}

export type ParsedPlan =
  | { readonly ok: true; readonly plan: Plan; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Reads a plan file (YAML or JSON). Either a plan in which every reference resolves, or every mistake
 * at once with its place; errors of syntax hide the others. Never throws for a bad plan, and creates
 * nothing.
 */
export function parsePlan(source: PlanSource, options: ParseOptions = {}): ParsedPlan {
  const text = source.text.replace(/^\uFEFF/, '');
  const report = new Report(source.file, text);
  const root = readText(text, report);
  const plan = root === null ? null : compilePlan(root, report, { ...options, file: source.file });
  return plan === null || report.errors > 0
    ? { ok: false, diagnostics: report.diagnostics }
    : { ok: true, plan, warnings: report.diagnostics };
}
