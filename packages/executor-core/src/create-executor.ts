import { bubblewrap } from './adapters/bubblewrap';
import { localChannel } from './adapters/local-channel';
import { lockfileMutex } from './adapters/lockfile-mutex';
import { nodeClock } from './adapters/node-clock';
import { nodeDisk } from './adapters/node-disk';
import { nodeMounts } from './adapters/node-mounts';
import { nodeFileSystem } from './adapters/node-file-system';
import { mortalLauncher } from './adapters/node-process-launcher';
import { nodeProcessRunner } from './adapters/node-process-runner';
import { nodeProcessTrees } from './adapters/node-process-trees';
import { nodeProcesses } from './adapters/node-processes';
import { nodeFileTree } from './adapters/node-file-tree';
import { nodeQuickFiles } from './adapters/node-quick-files';
import { nodeTcpPorts } from './adapters/node-tcp-ports';
import { gitAdapter } from './adapters/simple-git';
import { commandAgent } from './agents/command-agent';
import type { AgentFunction } from './agents/function-agent';
import { functionAgent } from './agents/function-agent';
import type { LandBundlesResult } from './run/cached-landing';
import { landBundles as landBundlesIn } from './run/cached-landing';
import type {
  NxTaskOutcome,
  NxTasksRequest,
  SingleTaskRequest,
  SingleTaskResult,
  TaskTurn,
} from './run/nx-door';
import { inTaskTurn, runNxTasks, runSingleTask } from './run/nx-door';
import { finishSharedRun } from './run/shared-run';
import type { Toolbox } from './run/toolbox';
import type { Workspace } from './run/workspace';
import { openWorkspaceWith } from './run/workspace';
import { UserError } from './model/user-error';
import { renderDiagnostics } from './plan/diagnostics';
import type { RunResult } from './model/result';
import type { Plan } from './model/task';
import type { Clock } from './ports/clock';

/**
 * The composition root: the only file that names adapters. Everything below it takes what it needs
 * as a parameter.
 */
export function nodeToolbox(functions: Readonly<Record<string, AgentFunction>> = {}): Toolbox {
  const processes = nodeProcesses();
  const trees = nodeProcessTrees(processes.self());
  const runner = nodeProcessRunner(processes, trees, mortalLauncher());
  const clock = nodeClock();
  const fs = nodeFileSystem();
  return {
    clock,
    fs,
    disk: nodeDisk(),
    quick: nodeQuickFiles(),
    files: nodeFileTree(),
    git: gitAdapter(),
    mutex: lockfileMutex(processes),
    mounts: nodeMounts(),
    channel: localChannel(),
    processes,
    trees,
    runner,
    sandbox: bubblewrap(),
    tcpPorts: nodeTcpPorts(),
    adapters: [commandAgent({ runner, clock }), functionAgent(functions)],
    env: process.env,
  };
}

/** Time of this machine, for what is not about one checkout. */
export function systemClock(): Clock {
  return nodeClock();
}

/** Opens the checkout around `cwd`. Rejects with `UserError` when there is none that can be used. */
export function openWorkspace(
  cwd: string,
  functions: Readonly<Record<string, AgentFunction>> = {},
): Promise<Workspace> {
  return openWorkspaceWith(nodeToolbox(functions), cwd);
}

/** Where an Nx process finds its plan. */
export interface NxDoorOptions {
  readonly cwd: string;
  readonly planFile?: string;
  readonly maxAgents?: number;
  /** How many tasks Nx runs at once; the run is never wider, whatever the plan allows. */
  readonly parallel?: number | undefined;
}

/** Runs and lands one task in the run shared by the processes of one Nx invocation. */
export async function runPlanTask(
  options: NxDoorOptions & SingleTaskRequest,
): Promise<SingleTaskResult> {
  const { workspace, plan } = await openPlan(options);
  return runSingleTask(await workspace.engine(plan), plan, options);
}

/** The same for several tasks, in one process; `onOutcome` is told of each as soon as it is settled. */
export async function runPlanTasks(
  options: NxDoorOptions & NxTasksRequest,
  onOutcome: (outcome: NxTaskOutcome) => void,
): Promise<readonly NxTaskOutcome[]> {
  const { workspace, plan } = await openPlan(options);
  return runNxTasks(await workspace.engine(plan), plan, options, onOutcome);
}

/** Runs `body` while no other Nx process of this checkout produces the result of one of these tasks. */
export async function inNxTaskTurn<T>(
  options: Pick<NxDoorOptions, 'cwd'> & TaskTurn,
  body: () => Promise<T>,
): Promise<T> {
  const { workspace, plan } = await openPlan(options);
  const engine = await workspace.engine(plan);
  try {
    return await inTaskTurn(engine, options, body);
  } finally {
    await engine.leases.close();
  }
}

/** Lands cached tasks from their result bundles; no agent runs. */
export async function landBundles(
  options: NxDoorOptions & { readonly runId: string; readonly tasks: readonly string[] },
): Promise<LandBundlesResult> {
  const { workspace, plan } = await openPlan(options);
  return landBundlesIn(await workspace.engine(plan), plan, options);
}

/** Records the end of an Nx invocation's run, opens its pull requests, and resolves with its result; see `finishSharedRun`. */
export async function finishNxRun(
  options: NxDoorOptions & { readonly runId: string },
): Promise<RunResult | null> {
  const { workspace, plan } = await openPlan(options);
  return finishSharedRun(await workspace.engine(plan), options.runId);
}

async function openPlan(
  options: NxDoorOptions,
): Promise<{ readonly workspace: Workspace; readonly plan: Plan }> {
  const workspace = await openWorkspace(options.cwd);
  const loaded = await workspace.loadPlan({ file: options.planFile, maxAgents: options.maxAgents });
  if (!loaded.ok)
    throw new UserError('usage', renderDiagnostics(loaded.diagnostics, loaded.text), null);
  return { workspace, plan: loaded.plan };
}
