import type { CreateNodes, CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { PLAN_FILES, taskKey } from '@parallel-executor/core';
import { agentProjects } from './agent-targets';
import { installedName } from './plugin-name';
import { projectRoots, rootProject } from './project-roots';
import { readPlan } from './read-plan';

const GLOB = `**/{${PLAN_FILES.join(',')},package.json,project.json}`;

/**
 * Infers the agent targets from the plan at the workspace root. A plan that is not valid infers one
 * `agent` target that fails with the diagnostics: Nx would otherwise hide them behind `--verbose`, and
 * a half-edited plan would stop every other target of the workspace.
 */
export const createNodes: CreateNodes = [
  GLOB,
  (files, _options, context) => Promise.resolve(inferTargets(files, context)),
];

/** The name under which Nx 20 to 23 look for `createNodes`. */
export const createNodesV2: CreateNodes = createNodes;

function inferTargets(
  files: readonly string[],
  { workspaceRoot }: CreateNodesContext,
): CreateNodesResultArray {
  const planFile = PLAN_FILES.find((file) => files.includes(file));
  if (planFile === undefined) return [];
  const root = rootProject(workspaceRoot);
  const executor = `${installedName(workspaceRoot)}:agent`;
  const read = readPlan(workspaceRoot, planFile);
  if (!read.ok) {
    const targets = { agent: { executor, options: { problem: read.problem }, cache: false } };
    const projects = { '.': root.declared ? { targets } : { name: root.name, targets } };
    return [[planFile, { projects }]];
  }
  const { plan } = read;
  const roots = plan.tasks.some((task) => task.project !== null)
    ? projectRoots(files.filter(isManifest), workspaceRoot)
    : new Map<string, string>();
  const projects = agentProjects(plan, {
    executor,
    root,
    roots,
    keyOf: (task) => taskKey(plan, task),
  });
  return [[planFile, { projects }]];
}

function isManifest(file: string): boolean {
  return file.endsWith('package.json') || file.endsWith('project.json');
}
