import { EVERYTHING, type Access } from '../model/access';
import { parseTaskId } from '../model/ids';
import type { AgentProfile, NoopPolicy, Task } from '../model/task';
import { buildEnv } from './build-agents';
import { buildResources, type Capacities } from './build-resources';
import { durationAt } from './build-settings';
import { checkName, projectProblem } from './check-names';
import { suggest } from './did-you-mean';
import { globProblem, pathProblem } from './glob-problem';
import { childOf, itemsOf } from './located';
import { PRIORITY_NAMES, type PlanFileTask } from './plan-schema';
import type { Report } from './report';
import { unique, type Placed, type TaskDraft } from './task-drafts';

/** What a task is checked against. */
export interface TaskContext {
  readonly report: Report;
  readonly worktreeBase: string;
  readonly timeoutMs: number;
  readonly defaultAgent: string | null;
  /** Names of the agents; `null` when the section was left out as wrong. */
  readonly agents: readonly string[] | null;
  /** Names of the phases; `null` when the section was left out as wrong. */
  readonly phases: readonly string[] | null;
  readonly profiles: ReadonlyMap<string, AgentProfile>;
  readonly capacities: Capacities;
  readonly isLeftOut: (...path: readonly string[]) => boolean;
  readonly readPromptFile: ((path: string) => string | null) | null;
}

const NO_COMMANDS: readonly string[] = [];

/** Turns a draft into a task; whatever is wrong with it is reported, and the rest still built. */
export function buildTask(draft: TaskDraft, context: TaskContext): Task {
  const { given, node } = draft;
  const { report } = context;
  const profile = given.agent ?? context.defaultAgent;
  checkReferences(draft, context);
  checkTaskNames(draft, report);
  const prompt = buildPrompt(draft, context);
  if (profile === null && (given.prompt ?? given.prompt_file) !== undefined)
    checkAgent(draft, context);
  const access = buildAccess(draft, profile, context);
  const isMilestone = profile === null;
  return {
    id: parseTaskId(draft.id),
    index: draft.index,
    profile,
    prompt,
    project: given.project ?? null,
    priority: priorityOf(given.priority),
    phase: given.phase ?? null,
    dependsOn: draft.dependsOn.flatMap((other) => asTaskId(other.text)),
    access,
    writesDeclared: isMilestone || draft.hasWrites,
    resources: buildResources(draft, context.capacities, report),
    team: given.team ?? null,
    taskType: given.task_type ?? null,
    verify: given.verify ?? NO_COMMANDS,
    timeoutMs: durationAt(report, childOf(node, 'timeout'), given.timeout, context.timeoutMs, 1),
    deadlineMs:
      given.deadline === undefined
        ? null
        : durationAt(report, childOf(node, 'deadline'), given.deadline, 1, 1),
    noop: noopOf(given.noop, profile, context.profiles),
    env: buildEnv(childOf(node, 'env'), report),
    homeSlot: draft.homeSlot,
  };
}

/**
 * A command or function that finds nothing to change has done its work; a coding agent that changes
 * nothing has probably not.
 */
function noopOf(
  given: NoopPolicy | undefined,
  profile: string | null,
  profiles: ReadonlyMap<string, AgentProfile>,
): NoopPolicy {
  const agent = profiles.get(profile ?? '');
  const isTool = agent === undefined || ['command', 'function'].includes(agent.adapter);
  return given ?? agent?.noop ?? (isTool ? 'accept' : 'refuse');
}

/** 0..100 from a name or a number; 50 when nothing is given. */
export function priorityOf(given: PlanFileTask['priority']): number {
  if (given === undefined) return PRIORITY_NAMES.NORMAL;
  if (typeof given === 'number') return given;
  const name = given.toUpperCase();
  return name === 'CRITICAL' || name === 'HIGH' || name === 'LOW'
    ? PRIORITY_NAMES[name]
    : PRIORITY_NAMES.NORMAL;
}

/** A bad id was reported where the task or the dependency is written. */
function asTaskId(text: string): readonly Task['id'][] {
  try {
    return [parseTaskId(text)];
  } catch {
    return [];
  }
}

function checkReferences({ id, given, node }: TaskDraft, context: TaskContext): void {
  const { agents, phases, report } = context;
  if (given.agent !== undefined && agents !== null && !agents.includes(given.agent)) {
    const shown = JSON.stringify(given.agent);
    const span = childOf(node, 'agent')?.span ?? null;
    const fix = suggest(given.agent, agents) ?? 'Add it under "agents:".';
    report.error(
      'unknown-agent',
      span,
      `Task "${id}" names the agent ${shown}, which is not defined.`,
      fix,
    );
  }
  if (given.phase !== undefined && phases !== null && !phases.includes(given.phase)) {
    const shown = JSON.stringify(given.phase);
    const span = childOf(node, 'phase')?.span ?? null;
    const fix = suggest(given.phase, phases) ?? `Add phases: [${given.phase}].`;
    report.error(
      'unknown-phase',
      span,
      `Task "${id}" is in the phase ${shown}, which is not listed.`,
      fix,
    );
  }
}

function checkAgent({ id, node }: TaskDraft, context: TaskContext): void {
  if (context.isLeftOut('tasks', id, 'agent')) return;
  if (context.isLeftOut('parallel_executor', 'default_agent')) return;
  context.report.error(
    'no-agent',
    (childOf(node, 'prompt') ?? childOf(node, 'prompt_file'))?.span ?? null,
    `Task "${id}" has a prompt, but no agent to give it to.`,
    'Add agent: NAME to the task, or default_agent: NAME under parallel_executor.',
  );
}

function checkTaskNames({ given, node }: TaskDraft, report: Report): void {
  const span = (key: string) => childOf(node, key)?.span ?? null;
  if (given.team !== undefined) checkName(report, 'team', given.team, span('team'));
  if (given.task_type !== undefined) {
    checkName(report, 'task type', given.task_type, span('task_type'));
  }
  if (given.project !== undefined) {
    checkName(report, 'project', given.project, span('project'), projectProblem);
  }
  for (const item of itemsOf(childOf(node, 'required_resources'))) {
    const id = childOf(item, 'id');
    if (id?.kind === 'scalar') checkName(report, 'resource', id.text, id.span);
  }
}

function buildPrompt({ id, given, node }: TaskDraft, context: TaskContext): string | null {
  const { report } = context;
  const path = given.prompt_file;
  if (path === undefined) return given.prompt ?? null;
  const span = childOf(node, 'prompt_file')?.span ?? null;
  if (given.prompt !== undefined) {
    const message = `Task "${id}" gives both prompt and prompt_file.`;
    report.error('prompt-twice', span, message, 'Keep one of the two.');
    return given.prompt;
  }
  const problem = pathProblem(path, context.worktreeBase);
  if (problem !== null) {
    report.error(
      problem.code,
      span,
      `prompt_file ${JSON.stringify(path)}: ${problem.problem}.`,
      problem.fix,
    );
    return null;
  }
  const text = context.readPromptFile?.(path) ?? null;
  if (text === null) {
    const message = `The prompt_file ${JSON.stringify(path)} of task "${id}" cannot be read.`;
    report.error(
      'missing-prompt-file',
      span,
      message,
      'Create the file, or write the prompt in the plan.',
    );
  }
  return text;
}

/** A milestone touches nothing; a task without declared writes may touch everything. */
function buildAccess(draft: TaskDraft, profile: string | null, context: TaskContext): Access {
  const reads = checkGlobs(draft.reads, 'reads', draft.id, context);
  const writes = checkGlobs(draft.writes, 'writes', draft.id, context);
  if (profile === null) return { reads: [], writes: [] };
  return { reads, writes: draft.hasWrites ? writes : [EVERYTHING] };
}

function checkGlobs(
  given: readonly Placed[],
  key: string,
  id: string,
  { report, worktreeBase }: TaskContext,
): readonly string[] {
  const globs = unique(given);
  for (const { text, span } of globs) {
    const problem = globProblem(text, worktreeBase);
    if (problem === null) continue;
    const shown = JSON.stringify(text.slice(0, 120));
    report.error(
      problem.code,
      span,
      `The glob ${shown} of "${id}" is refused: ${problem.problem}.`,
      problem.fix,
    );
  }
  const [first] = globs;
  if (first !== undefined && globs.every((glob) => glob.text.startsWith('!'))) {
    const message = `The ${key} of "${id}" only exclude, so they hold nothing.`;
    report.error('bad-glob', first.span, message, 'Add what they exclude from, such as "**".');
  }
  return globs.map((glob) => glob.text);
}
