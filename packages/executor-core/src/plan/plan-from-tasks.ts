import type { AgentProfile, Plan } from '../model/task';
import { UserError } from '../model/user-error';
import { compilePlan } from './compile-plan';
import { locateValue } from './located';
import { planFileKeys, type FileShape } from './plan-input-keys';
import type { AgentInput, PlanConfig, TaskInput } from './plan-input';
import { Report } from './report';

export type { AgentInput, PlanConfig, ResourceInput, TaskInput } from './plan-input';

/** A plan from the API, with what is allowed in it but probably not meant. */
export interface PlanFromTasks {
  readonly plan: Plan;
  readonly warnings: readonly string[];
}

/**
 * Makes a plan from tasks given in code, by the rules of the plan file. Without any agents in `config`
 * the names tasks give for theirs mean nothing: such tasks become milestones, and a warning names them.
 * Phases that `config` does not list are taken in the order in which tasks name them.
 *
 * @throws UserError (`usage`) that lists every problem.
 */
export function planFromTasks(tasks: readonly TaskInput[], config: PlanConfig = {}): PlanFromTasks {
  const report = new Report('tasks', '');
  const hasAgents = countAgents(config) > 0;
  const rows = tasks.map((task) => planFileKeys('task', task, report));
  const warnings: string[] = [];
  if (!hasAgents) warnings.push(...dropAgents(rows));
  const root = locateValue({
    version: 1,
    ...planFileSections(config, report),
    phases: config.phases ?? namedPhases(rows),
    tasks: tasksById(rows, report),
  });
  const plan = compilePlan(root, report, { file: null, ...extraAgents(config) });
  const problems = report.diagnostics.filter((one) => one.severity === 'error');
  if (plan === null || problems.length > 0) throw usageError(problems.map((one) => one.message));
  return { plan, warnings: [...warnings, ...report.diagnostics.map((one) => one.message)] };
}

function usageError(problems: readonly string[]): UserError {
  const [only] = problems;
  const message =
    problems.length === 1 && only !== undefined
      ? only
      : `The plan has ${problems.length} problems:\n${problems.map((one) => `- ${one}`).join('\n')}`;
  return new UserError('usage', message, 'Mend the tasks or the configuration.');
}

function countAgents({ agents }: PlanConfig): number {
  return agents === undefined ? 0 : Object.keys(agents).length;
}

function dropAgents(rows: readonly FileShape[]): readonly string[] {
  return rows.flatMap((row) => {
    const agent = row.get('agent');
    if (agent === undefined) return [];
    row.delete('agent');
    row.delete('prompt');
    row.delete('prompt_file');
    return [
      `Task ${shown(row.get('id'))} names the agent ${shown(agent)}, but no agents are configured: it becomes a milestone.`,
    ];
  });
}

function tasksById(rows: readonly FileShape[], report: Report): object {
  const tasks = new Map<string, object>();
  for (const [at, row] of rows.entries()) {
    const id = row.get('id');
    row.delete('id');
    if (typeof id !== 'string') {
      report.error('bad-id', null, `tasks[${at}]: expected an id, found ${shown(id)}.`);
    } else if (tasks.has(id)) {
      report.error('duplicate-key', null, `The task ${JSON.stringify(id)} is given twice.`);
    } else tasks.set(id, row);
  }
  return tasks;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function namedPhases(rows: readonly FileShape[]): readonly unknown[] {
  return [...new Set(rows.map((row) => row.get('phase')).filter((phase) => phase !== undefined))];
}

function planFileSections(config: PlanConfig, report: Report): object {
  const { agents, locks, resourceStrategies, ...executor } = { ...config, phases: undefined };
  const own = isProfileList(agents) ? undefined : Object.entries(agents ?? {});
  return {
    parallel_executor: planFileKeys('executor', executor, report),
    agents:
      own && new Map(own.map(([name, agent]) => [name, planFileKeys('agent', agent, report)])),
    locks: locks && planFileKeys('locks', locks, report),
    resource_strategies:
      resourceStrategies && planFileKeys('strategies', resourceStrategies, report),
  };
}

function extraAgents({ agents }: PlanConfig): { readonly agents?: readonly AgentProfile[] } {
  return isProfileList(agents) ? { agents } : {};
}

function isProfileList(
  agents: readonly AgentProfile[] | Readonly<Record<string, AgentInput>> | undefined,
): agents is readonly AgentProfile[] {
  return Array.isArray(agents);
}
