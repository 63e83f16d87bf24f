import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Repository } from '../isolate/repository';
import { inspectRepository } from '../isolate/repository';
import type { ControlRequest, FrontDoor, RunEvent } from '../model/event';
import type { RunId } from '../model/ids';
import { isRunId, parseRunId, parseSlotName, parseTaskId } from '../model/ids';
import type { LocksView } from '../locks/locks-view';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Diagnostic } from '../plan/diagnostics';
import { parsePlan } from '../plan/load-plan';
import { listRuns } from '../store/run-dir';
import type { Engine } from './engine';
import { appendFact, openEngine } from './engine';
import { readLocks, requestWrites, type WriteRoom } from './locks-desk';
import type { Run } from './run';
import { continueRun, startRun } from './run';
import type { RunReader } from './run-reader';
import { openRunReader } from './run-reader';
import { STARTER_PLAN } from './starter-plan';
import type { Toolbox } from './toolbox';

/** Names a plan file may have at the repository root, in order of preference. */
export const PLAN_FILES = ['parallel.yaml', 'parallel.yml', 'parallel.json'] as const;

export type LoadedPlan =
  | {
      readonly ok: true;
      readonly plan: Plan;
      readonly warnings: readonly Diagnostic[];
      readonly text: string;
      readonly file: string;
    }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly text: string;
      readonly file: string;
    };

export interface LoadPlanOptions {
  /** Plan file, relative to where the command was started. Default: the one at the repository root. */
  readonly file?: string;
  readonly maxAgents?: number;
}

export type ResumeResult =
  | { readonly kind: 'resumed'; readonly run: Run }
  | { readonly kind: 'signalled'; readonly runId: RunId }
  | { readonly kind: 'nothing'; readonly reason: string };

/** A checkout as the front doors see it. Opening it writes nothing. */
export interface Workspace {
  readonly root: string;
  readonly repository: Repository;
  /** `true` when there is a plan file at the root. */
  hasPlan(): Promise<boolean>;
  /** Rejects with `UserError` when there is no plan file. */
  loadPlan(options?: LoadPlanOptions): Promise<LoadedPlan>;
  start(plan: Plan, options?: { readonly frontDoor?: FrontDoor }): Promise<Run>;
  /** Tells a live paused run to go on, or continues a crashed or stopped one here. */
  resume(runId?: string): Promise<ResumeResult>;
  /** A run by id, or the one started last; `null` when there is none. */
  reader(runId?: string): Promise<RunReader | null>;
  /** Writes a request into the journal of a live run. */
  request(
    request: ControlRequest,
    runId?: string,
  ): Promise<{
    readonly runId: RunId;
    readonly delivered: boolean;
    readonly reason: string | null;
  }>;
  runs(): Promise<readonly RunId[]>;
  /** Called by agents: reports progress of the task named in their environment. */
  reportProgress(percent: number | null, note: string): Promise<void>;
  /** Who holds what, and who waits for whom, in every run of this checkout. */
  locks(): Promise<LocksView>;
  /** Called by agents: asks for more write room for the task named in their environment. */
  requestWrites(globs: readonly string[]): Promise<WriteRoom>;
  /** Writes a starter plan unless there is one. */
  initPlan(): Promise<{ readonly path: string; readonly created: boolean }>;
  /** The engine underneath, for the other front door. */
  engine(plan: Plan): Promise<Engine>;
}

/** Opens the checkout around `cwd`; inside an agent's worktree, the checkout its run belongs to. */
export async function openWorkspaceWith(tools: Toolbox, cwd: string): Promise<Workspace> {
  const repository = await inspectRepository(tools.git, tools.env['PARALLEL_ROOT'] ?? cwd);
  const { root } = repository;
  const engine = (plan: Plan): Promise<Engine> =>
    openEngine(tools, root, plan.settings.lockTimeoutMs);
  const reader = async (runId?: string): Promise<RunReader | null> => {
    if (runId !== undefined && !isRunId(runId)) {
      throw new UserError(
        'usage',
        `${JSON.stringify(runId)} is not a run id.`,
        'Run ids look like PEXEC-1705323000000.',
      );
    }
    return openRunReader(tools, root, runId);
  };
  return {
    root,
    repository,
    engine,
    reader,
    loadPlan: (options = {}) => loadPlan(tools, root, cwd, options),
    start: async (plan, options = {}) =>
      startRun(await engine(plan), plan, { frontDoor: options.frontDoor ?? 'api' }),
    resume: async (runId) => resume(tools, await reader(runId), engine, root),
    request: async (request, runId) => sendRequest(tools, root, await reader(runId), request),
    runs: () => listRuns(tools.fs, root),
    reportProgress: (percent, note) => reportProgress(tools, root, percent, note),
    locks: () => readLocks(tools, root),
    requestWrites: (globs) => requestWrites(tools, root, globs),
    hasPlan: async () => (await planAtRoot(tools, root)) !== null,
    initPlan: async () => {
      const present = await planAtRoot(tools, root);
      if (present !== null) return { path: present, created: false };
      const path = join(root, PLAN_FILES[0]);
      return { path, created: await tools.fs.createExclusive(path, STARTER_PLAN) };
    },
  };
}

async function loadPlan(
  tools: Toolbox,
  root: string,
  cwd: string,
  options: LoadPlanOptions,
): Promise<LoadedPlan> {
  const path = await findPlanFile(tools, root, cwd, options.file);
  const text = (await tools.fs.readText(path)) ?? '';
  const inside = relative(root, path);
  const file = inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  const prompts = new Map<string, string | null>();
  const wanted = new Set<string>();
  const parse = (): ReturnType<typeof parsePlan> =>
    parsePlan(
      { text, file },
      {
        maxAgents: options.maxAgents,
        readPromptFile: (name) => {
          if (!prompts.has(name)) wanted.add(name);
          return prompts.get(name) ?? null;
        },
      },
    );
  // parsePlan is pure: a first pass tells which prompt files it wants, a second one gets them.
  const first = parse();
  for (const name of wanted) prompts.set(name, await tools.fs.readText(join(root, name)));
  const final = wanted.size === 0 ? first : parse();
  return final.ok
    ? { ok: true, plan: final.plan, warnings: final.warnings, text, file }
    : { ok: false, diagnostics: final.diagnostics, text, file };
}

async function planAtRoot(tools: Toolbox, root: string): Promise<string | null> {
  for (const name of PLAN_FILES)
    if (await tools.fs.exists(join(root, name))) return join(root, name);
  return null;
}

async function findPlanFile(
  tools: Toolbox,
  root: string,
  cwd: string,
  file?: string,
): Promise<string> {
  const present = file === undefined ? await planAtRoot(tools, root) : resolve(cwd, file);
  if (present !== null && (await tools.fs.exists(present))) return present;
  throw file === undefined
    ? new UserError(
        'usage',
        `There is no ${PLAN_FILES[0]} in ${root}.`,
        'Write one with parallel-cli init, or name one with --plan FILE.',
      )
    : new UserError(
        'usage',
        `There is no plan file ${file}.`,
        'Check the path; it is taken from where the command was started.',
      );
}

async function resume(
  tools: Toolbox,
  reader: RunReader | null,
  engine: (plan: Plan) => Promise<Engine>,
  root: string,
): Promise<ResumeResult> {
  if (reader === null) return { kind: 'nothing', reason: 'there is no run yet' };
  const events = await reader.events();
  if (await reader.ownerAlive()) {
    const { outcome, mode } = lastStanding(events);
    if (outcome === null) {
      if (mode !== 'paused') return { kind: 'nothing', reason: `${reader.id} is running` };
      await sendRequest(tools, root, reader, { kind: 'resume' });
      return { kind: 'signalled', runId: reader.id };
    }
  }
  const { outcome } = lastStanding(events);
  if (outcome === 'completed') return { kind: 'nothing', reason: `${reader.id} is complete` };
  if (outcome === 'failed')
    return { kind: 'nothing', reason: `${reader.id} has ended with failures; start a new run` };
  return {
    kind: 'resumed',
    run: await continueRun(await engine(reader.plan), reader.id, reader.plan),
  };
}

function lastStanding(events: readonly RunEvent[]): { outcome: string | null; mode: string } {
  let outcome: string | null = null;
  let mode = 'running';
  for (const event of events) {
    if (event.type === 'run:finished') outcome = event.outcome;
    if (event.type === 'run:mode') mode = event.mode;
    if (event.type === 'run:started' || event.type === 'run:resumed') {
      outcome = null;
      mode = 'running';
    }
  }
  return { outcome, mode };
}

async function sendRequest(
  tools: Toolbox,
  root: string,
  reader: RunReader | null,
  request: ControlRequest,
): Promise<{ runId: RunId; delivered: boolean; reason: string | null }> {
  if (reader === null)
    throw new UserError('usage', 'There is no run here.', 'Start one with parallel-cli run.');
  if (request.kind === 'kill') requireTarget(reader.plan, request.target);
  const { outcome } = lastStanding(await reader.events());
  if (outcome !== null)
    return { runId: reader.id, delivered: false, reason: `${reader.id} has ended (${outcome})` };
  if (!(await reader.ownerAlive())) {
    return {
      runId: reader.id,
      delivered: false,
      reason: `the process of ${reader.id} is gone; parallel-cli resume continues it`,
    };
  }
  const { pid } = tools.processes.self();
  await appendFact(tools, root, reader.id, {
    type: 'control:requested',
    request,
    by: `parallel-cli (pid ${pid})`,
    at: tools.clock.now(),
  });
  return { runId: reader.id, delivered: true, reason: null };
}

function requireTarget(plan: Plan, target: string): void {
  if (target === 'all' || plan.tasks.some((task) => task.id === target)) return;
  const slot = parseSlotName(target);
  if (slot !== null && slot >= 1 && slot <= plan.settings.maxAgents) return;
  throw new UserError(
    'usage',
    `No agent or task is called ${JSON.stringify(target)}.`,
    'Name a slot (agent-3), a task of the plan, or --all.',
  );
}

async function reportProgress(
  tools: Toolbox,
  root: string,
  percent: number | null,
  note: string,
): Promise<void> {
  const run = tools.env['PARALLEL_RUN_ID'];
  const task = tools.env['PARALLEL_TASK_ID'];
  if (run === undefined || task === undefined) {
    throw new UserError(
      'usage',
      'Progress is reported by agents: PARALLEL_RUN_ID and PARALLEL_TASK_ID are not set.',
      null,
    );
  }
  await appendFact(tools, root, parseRunId(run), {
    type: 'task:progress',
    task: parseTaskId(task),
    percent,
    note,
    at: tools.clock.now(),
  });
}
