import type { AgentProfile, Plan, Task } from '../model/task';
import { applyLocks } from './apply-locks';
import { buildAgents } from './build-agents';
import { buildSettings, checkLimitNames } from './build-settings';
import { capacitiesOf } from './build-resources';
import { buildTask, type TaskContext } from './build-tasks';
import { checkCase, checkName } from './check-names';
import { checkOrder } from './check-order';
import { checkSchema, type CheckedFile } from './check-schema';
import { suggest } from './did-you-mean';
import { childOf, entriesOf, type Located } from './located';
import type { Report } from './report';
import { draftTasks, placed, unique, type TaskDraft } from './task-drafts';

/** What the plan is completed with from outside. */
export interface CompileOptions {
  /** Path of the plan in the repository; `null` for a plan made by the API. */
  readonly file: string | null;
  /** The `--agents` override. */
  readonly maxAgents?: number | undefined;
  /** Agents that are defined elsewhere. */
  readonly agents?: readonly AgentProfile[] | undefined;
  /** Text of a repository file; `null` when there is none. */
  readonly readPromptFile?: ((path: string) => string | null) | undefined;
}

/**
 * Checks a read plan and puts it into its final form. Everything that is wrong is reported, in one go.
 *
 * @returns `null` when anything was reported as an error.
 */
export function compilePlan(root: Located, report: Report, options: CompileOptions): Plan | null {
  const checked = checkSchema(root, report);
  if (checked === null) return null;
  const settings = buildSettings(checked, report, options.maxAgents);
  checkLimitNames(checked, report);
  const agents = buildAgents(checked, report, options.agents ?? []);
  const agentNames = checked.lacksEntries('agents') ? null : agents.map((profile) => profile.name);
  const phases = buildPhases(checked, report);
  const defaultAgent = namedAgent(checked, ['default_agent'], agentNames, report);
  namedAgent(checked, ['healer'], agentNames, report);
  namedAgent(checked, ['conflicts', 'resolver'], agentNames, report);
  const drafts = draftTasks(checked, report, settings.maxAgents);
  applyLocks(checked, drafts, report, settings.maxAgents);
  const knownPhases = checked.lacksEntries('phases') ? null : phases;
  if (!checked.lacksEntries('tasks') && !checked.lacksEntries('graph')) {
    checkOrder(drafts, knownPhases, report);
  }
  const context: TaskContext = {
    report,
    worktreeBase: settings.worktreeBase,
    timeoutMs: settings.timeoutMs,
    defaultAgent,
    agents: agentNames,
    profiles: new Map(agents.map((agent) => [agent.name, agent])),
    phases: knownPhases,
    capacities: capacitiesOf(checked),
    isLeftOut: checked.isLeftOut,
    readPromptFile: options.readPromptFile ?? null,
  };
  const tasks = drafts.map((draft) => buildTask(draft, context));
  if (report.errors > 0) return null;
  warn(checked, report, { drafts, tasks, waits: settings.conflictPolicy === 'wait' });
  return { version: 1, file: options.file, settings, agents, phases, tasks };
}

function buildPhases({ root }: CheckedFile, report: Report): readonly string[] {
  const given = placed(childOf(root, 'phases'));
  for (const { text, span } of given) checkName(report, 'phase', text, span);
  checkCase(
    report,
    'phase',
    given.map(({ text, span }) => [text, span] as const),
  );
  const phases = unique(given);
  for (const phase of given.filter((one) => !phases.includes(one))) {
    const message = `The phase "${phase.text}" is listed twice.`;
    report.error('duplicate-phase', phase.span, message, 'Remove one of the two.');
  }
  return phases.map((phase) => phase.text);
}

/** The agent that a setting names, reported when there is none of that name; `null`: it names none. */
function namedAgent(
  { root }: CheckedFile,
  path: readonly string[],
  agents: readonly string[] | null,
  report: Report,
): string | null {
  let node = childOf(root, 'parallel_executor');
  for (const key of path) node = childOf(node, key);
  if (node?.kind !== 'scalar' || node.text === '') return null;
  const name = node.text;
  if (agents === null || agents.includes(name)) return name;
  report.error(
    'unknown-agent',
    node.span,
    `${path.join('.')} is ${JSON.stringify(name)}, which is not defined.`,
    suggest(name, agents) ?? 'Add it under "agents:".',
  );
  return name;
}

/** What is allowed and probably not meant. */
function warn(
  { root }: CheckedFile,
  report: Report,
  plan: {
    readonly drafts: readonly TaskDraft[];
    readonly tasks: readonly Task[];
    readonly waits: boolean;
  },
): void {
  const section = entriesOf(root).find(([key]) => key === 'tasks' || key === 'graph');
  const place = plan.drafts[0]?.span ?? section?.[1].key ?? entriesOf(root)[0]?.[1].key ?? null;
  if (plan.tasks.length === 0) {
    report.warning('no-tasks', place, 'The plan has no tasks.', 'Add them under "tasks:".');
    return;
  }
  if (plan.tasks.every((task) => task.profile === null)) {
    report.warning(
      'no-agents',
      place,
      'No task has an agent, so every task is a milestone and nothing will be done.',
      'Define "agents:" and set default_agent under parallel_executor.',
    );
  }
  const undeclared = plan.drafts.filter((_, at) => plan.tasks[at]?.writesDeclared === false);
  const [first] = undeclared;
  if (first === undefined || !plan.waits) return;
  const names = undeclared
    .slice(0, 3)
    .map((draft) => draft.id)
    .join(', ');
  const more = undeclared.length > 3 ? ', …' : '';
  const subject =
    undeclared.length === 1 ? '1 task declares' : `${undeclared.length} tasks declare`;
  report.warning(
    'undeclared-writes',
    first.span,
    `${subject} no writes (${names}${more}) and so may change everything: nothing that writes runs beside it.`,
    'Add writes: [GLOBS], or set locks.conflict_resolution.',
  );
}
