import { createHash } from 'node:crypto';
import type { Plan, Task, TaskId } from '@parallel-executor/core';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import type { NamedRoot } from './project-roots';

/** What the targets of a plan depend on beside the plan. */
export interface TargetContext {
  /** Executor as the workspace resolves it, e.g. `@parallel-executor/nx:agent`. */
  readonly executor: string;
  readonly root: NamedRoot;
  /** Folder of a project by name; tasks of unknown projects go to the workspace root. */
  readonly roots: ReadonlyMap<string, string>;
  /** Digest of all that decides the task's result, see `taskKey` of the core. */
  readonly keyOf: (task: Task) => string;
}

type Projects = Record<string, Partial<ProjectConfiguration>>;

const PREFIX = 'agent-';
const PATCHES = { dependentTasksOutputFiles: '**/*.patch', transitive: true } as const;
const NO_PACKAGES = { externalDependencies: [] };

/** Name of the Nx target that runs a task. */
export function targetName(task: string): string {
  return PREFIX + task;
}

/** The task an Nx target runs, or `null` when the target is no agent task. */
export function taskOfTarget(target: string): string | null {
  return target.startsWith(PREFIX) ? target.slice(PREFIX.length) : null;
}

/**
 * The Nx projects of a plan, by folder: one `agent-<task>` target per task on the task's project,
 * an `agent` parent on each of these projects, and one barrier per phase on the workspace root.
 */
export function agentProjects(plan: Plan, context: TargetContext): Projects {
  const homes = new Map(plan.tasks.map((task) => [task.id, homeOf(task, context)]));
  const barriers = phaseBarriers(plan);
  const projects: Projects = {};
  const add = (root: string, target: string, configuration: TargetConfiguration): void => {
    const project = (projects[root] ??= emptyProject(root, context.root));
    project.targets = { ...project.targets, [target]: configuration };
  };
  for (const task of plan.tasks) {
    const root = homes.get(task.id)?.root ?? '.';
    const gate = barriers.find((barrier) => barrier.phase === task.phase)?.opensAfter ?? null;
    const after = task.dependsOn.map((id) => dependency(id, homes));
    if (gate !== null) after.push({ projects: [context.root.name], target: barrierName(gate) });
    add(root, targetName(task.id), agentTarget(task, after, context));
    add(root, 'agent', milestone([`${PREFIX}*`]));
  }
  for (const { phase, tasks, opensAfter } of barriers) {
    const before = tasks.map((id) => dependency(id, homes));
    if (opensAfter !== null) {
      before.push({ projects: [context.root.name], target: barrierName(opensAfter) });
    }
    add('.', barrierName(phase), milestone(before));
  }
  return projects;
}

interface Home {
  readonly name: string;
  readonly root: string;
}

interface PhaseBarrier {
  readonly phase: string;
  readonly tasks: readonly TaskId[];
  /** The phase before this one that has tasks, or `null`. */
  readonly opensAfter: string | null;
}

/** The barrier at the end of each phase that has tasks, in plan order. */
function phaseBarriers(plan: Plan): readonly PhaseBarrier[] {
  const barriers: PhaseBarrier[] = [];
  for (const phase of plan.phases) {
    const tasks = plan.tasks.filter((task) => task.phase === phase).map((task) => task.id);
    if (tasks.length === 0) continue;
    barriers.push({ phase, tasks, opensAfter: barriers.at(-1)?.phase ?? null });
  }
  return barriers;
}

function barrierName(phase: string): string {
  return `parallel-barrier-${phase}`;
}

function homeOf(task: Task, { root, roots }: TargetContext): Home {
  const folder = task.project === null ? undefined : roots.get(task.project);
  return task.project !== null && folder !== undefined
    ? { name: task.project, root: folder }
    : { name: root.name, root: '.' };
}

function emptyProject(root: string, named: NamedRoot): Partial<ProjectConfiguration> {
  return root === '.' && !named.declared ? { name: named.name, targets: {} } : { targets: {} };
}

type DependsOn = Exclude<TargetConfiguration['dependsOn'], undefined>[number];

function dependency(id: TaskId, homes: ReadonlyMap<TaskId, Home>): DependsOn {
  const home = homes.get(id);
  if (home === undefined) throw new Error(`The plan has no task ${id}.`);
  return { projects: [home.name], target: targetName(id) };
}

/**
 * Nx adds the target's project configuration, nx.json and .gitignore to every key. The sources stay
 * out on purpose: once the change has landed they differ, and the agent would run and cost again.
 */
function agentTarget(
  task: Task,
  dependsOn: DependsOn[],
  { executor, keyOf }: TargetContext,
): TargetConfiguration {
  const key = createHash('sha256').update(keyOf(task)).digest('hex').slice(0, 32);
  return {
    executor,
    options: { task: task.id },
    cache: true,
    // A runtime input is the one kind that is literal per target and not part of the project's own
    // hash, so that editing one task leaves the keys of its neighbours alone.
    inputs: [{ runtime: `echo ${key}` }, PATCHES, NO_PACKAGES],
    outputs: [`{workspaceRoot}/.parallel/out/${task.id}`],
    dependsOn,
    metadata: {
      description: `Agent task ${task.id}${task.profile === null ? '' : ` (${task.profile})`}`,
      technologies: ['parallel-executor'],
    },
  };
}

/** A target that only orders. It is cacheable so that a rerun is all cache hits. */
function milestone(dependsOn: DependsOn[] | string[]): TargetConfiguration {
  return { executor: 'nx:noop', cache: true, inputs: [NO_PACKAGES], outputs: [], dependsOn };
}
