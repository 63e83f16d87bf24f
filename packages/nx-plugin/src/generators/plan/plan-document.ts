import { withoutCycles } from './acyclic';
import type { ProjectFacts } from './project-facts';
import { taskIds } from './task-ids';

/** What the plan is to say, beside what the projects give. */
export interface PlanRequest {
  /** All projects of the workspace; `selected` names those that get a task. */
  readonly projects: readonly ProjectFacts[];
  readonly selected: ReadonlySet<string>;
  /** `{project}` and `{root}` in it stand for the task's project and its folder. */
  readonly prompt: string | null;
  readonly agent: string | null;
  readonly command: string | null;
  /** Targets a task must pass in its own worktree, if its project has them. */
  readonly verifyTargets: readonly string[];
  readonly followDeps: boolean;
}

/** One entry of `tasks:`; keys are those of the plan file. */
export interface TaskEntry {
  readonly agent?: string;
  readonly prompt?: string;
  readonly project: string;
  readonly depends_on?: readonly string[];
  readonly reads?: readonly string[];
  readonly writes: readonly string[];
  readonly verify?: readonly string[];
}

/** A plan file's content; keys are those of the plan file. */
export interface PlanDocument {
  readonly version: 1;
  readonly parallel_executor: {
    readonly max_agents: number;
    readonly default_agent?: string;
    readonly verify?: readonly string[];
  };
  /** Absent in a skeleton, whose tasks only order each other until somebody names an agent. */
  readonly agents?: Readonly<
    Record<string, { readonly adapter: string; readonly command?: string }>
  >;
  readonly tasks: Readonly<Record<string, TaskEntry>>;
}

const MAX_AGENTS = 25;
const AFFECTED_TESTS = 'npx nx affected -t test --base=$PARALLEL_BASE';

/**
 * One task per selected project: it may write the project's folder and reads the folders of what the
 * project depends on. Without `followDeps` the tasks run in any order. Project names come sorted, so
 * the same workspace gives the same text.
 */
export function planDocument(request: PlanRequest): PlanDocument {
  const { projects, selected, command } = request;
  const chosen = projects.filter(({ name }) => selected.has(name));
  const ids = taskIds(chosen.map(({ name }) => name));
  const agent = request.agent ?? (command === null ? null : 'codemod');
  const edges = request.followDeps ? taskEdges(chosen, ids) : new Map<string, readonly string[]>();
  const folders = new Map(projects.map(({ name, root }) => [name, root]));
  const tasks = chosen.map((project): readonly [string, TaskEntry] => {
    const id = ids.get(project.name) ?? project.name;
    const entry = taskEntry(project, { ...request, agent, folders, after: edges.get(id) ?? [] });
    return [id, entry];
  });
  const tested = projects.some(({ targets }) => targets.includes('test'));
  return {
    version: 1,
    parallel_executor: {
      max_agents: MAX_AGENTS,
      ...(agent === null ? {} : { default_agent: agent }),
      ...(tested ? { verify: [AFFECTED_TESTS] } : {}),
    },
    ...(agent === null ? {} : { agents: { [agent]: profileOf(agent, command) } }),
    tasks: Object.fromEntries(tasks),
  };
}

/** Without a command, a profile called like an adapter runs that adapter; any other name gets `claude`. */
function profileOf(agent: string, command: string | null): { adapter: string; command?: string } {
  if (command !== null) return { adapter: 'command', command };
  return { adapter: ['claude', 'codex', 'acp', 'gemini'].includes(agent) ? agent : 'claude' };
}

interface TaskContext extends PlanRequest {
  readonly agent: string | null;
  readonly folders: ReadonlyMap<string, string>;
  readonly after: readonly string[];
}

function taskEntry(project: ProjectFacts, context: TaskContext): TaskEntry {
  const { name, root } = project;
  const reads = project.dependencies
    .map((dependency) => context.folders.get(dependency))
    .filter((folder) => folder !== undefined)
    .map(filesBelow);
  const verify = context.verifyTargets
    .filter((target) => project.targets.includes(target))
    .map((target) => `npx nx run-many -t ${target} --projects=${name}`);
  return {
    ...(context.agent === null ? {} : { agent: context.agent }),
    ...(context.prompt === null ? {} : { prompt: fill(context.prompt, name, root) }),
    project: name,
    ...(context.after.length === 0 ? {} : { depends_on: context.after }),
    ...(reads.length === 0 ? {} : { reads }),
    writes: [filesBelow(root)],
    ...(verify.length === 0 ? {} : { verify }),
  };
}

function taskEdges(
  chosen: readonly ProjectFacts[],
  ids: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly string[]> {
  const edges = chosen.map(({ name, dependencies }): readonly [string, readonly string[]] => [
    ids.get(name) ?? name,
    dependencies.map((dependency) => ids.get(dependency)).filter((id) => id !== undefined),
  ]);
  return withoutCycles(new Map(edges));
}

function filesBelow(root: string): string {
  return root === '.' ? '**' : `${root}/**`;
}

function fill(prompt: string, project: string, root: string): string {
  return prompt.replaceAll('{project}', project).replaceAll('{root}', root);
}
