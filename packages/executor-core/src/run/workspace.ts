import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Repository } from '../isolate/repository';
import { inspectRepository } from '../isolate/repository';
import type { ForecastEvidence } from '../graph/conflict-forecast';
import type { DurationModel } from '../graph/durations';
import type { Cost } from '../model/cost';
import type { ControlRequest } from '../model/control-request';
import type { FrontDoor } from '../model/event';
import type { RunId } from '../model/ids';
import { markOf } from '../model/process';
import { isRunId, parseRunId, parseTaskId } from '../model/ids';
import type { LocksView } from '../locks/locks-view';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Diagnostic } from '../plan/diagnostics';
import type { CleanChoice } from '../report/clean-plan';
import type * as LoadPlan from '../plan/load-plan';
import { listRuns } from '../store/run-dir';
import type { BarrierWait, BarrierWaitOptions } from './barrier-wait';
import { waitAtBarrier } from './barrier-wait';
import type { CleanReport, CleanResult } from './clean';
import { cleanUp, reportLeftovers } from './clean';
import { declareCost } from './agent-cost';
import { declareNoop } from './declare-noop';
import { withDefaultSetup } from './default-setup';
import { tellDiskRefusal } from './disk-refusal';
import type { Engine } from './engine';
import { forecastEvidence } from './forecast-evidence';
import { knownDurations } from './learn-durations';
import { appendFact, openEngine } from './engine';
import type { Delivery, ResumeResult } from './requests';
import { resumeRun, retryTasks, sendRequest } from './requests';
import type { ResolveResult, ResolveStep } from './resolve-task';
import { resolveTask } from './resolve-task';
import { readLocks, requestWrites, type WriteRoom } from './locks-desk';
import type { Run } from './run';
import { askAhead } from './preflight';
import { startRun } from './run';
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
  /**
   * Has a task that did not land, or `all` of them, tried again: by the process that drives the run,
   * or here, where nobody does. Rejects with `UserError` when the task is not one of them.
   */
  retry(target: string, runId?: string): Promise<ResumeResult>;
  /** Opens the conflict of a task for a person, lands what was made of it, or gives it up; see `resolveTask`. */
  resolve(task: string, step: ResolveStep, runId?: string): Promise<ResolveResult>;
  /** A run by id, or the one started last; `null` when there is none. */
  reader(runId?: string): Promise<RunReader | null>;
  /** Asks something of a run, from any process, through its journal. */
  request(request: ControlRequest, runId?: string): Promise<Delivery>;
  /**
   * Waits until the barrier of a phase opens, in the run given, the run of the agent that calls, or the
   * current one. Rejects with `UserError` when there is no such run or phase.
   */
  waitAtBarrier(
    barrier: string,
    options?: BarrierWaitOptions & { readonly run?: string },
  ): Promise<BarrierWait>;
  /** The plan with the set-up its worktrees really get, see `WorktreeSetup.byDefault`. */
  withDefaultSetup(plan: Plan): Promise<Plan>;
  /** What earlier runs say about how long the tasks of a plan take. */
  durations(plan: Plan): Promise<DurationModel>;
  /** What the repository tells about the conflicts of any plan, see `conflictForecast`. */
  forecastEvidence(): Promise<ForecastEvidence>;
  runs(): Promise<readonly RunId[]>;
  /** Called by agents: reports progress of the task named in their environment. */
  reportProgress(percent: number | null, note: string): Promise<void>;
  /** Called by agents: declares that the task in their environment needs no change, and why. */
  declareNoop(reason: string): Promise<void>;
  /** Called by agents: adds to what the work on the task in their environment has cost. */
  declareCost(cost: Cost): Promise<void>;
  /** Who holds what, and who waits for whom, in every run of this checkout. */
  locks(): Promise<LocksView>;
  /** Called by agents: asks for more write room for the task named in their environment. */
  requestWrites(globs: readonly string[]): Promise<WriteRoom>;
  /** What runs left behind, and what a clean with this choice would remove. Changes nothing. */
  leftovers(choice?: CleanChoice): Promise<CleanReport>;
  /** Removes it; see `cleanUp`. */
  clean(choice: CleanChoice, onPlan: (report: CleanReport) => void): Promise<CleanResult>;
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
    tellDiskRefusal('The checkout cannot be used', 'Make room on it or mend it.', () =>
      openEngine(tools, root, plan.settings.lockTimeoutMs, repository),
    );
  const driver: typeof engine = (plan) => {
    askAhead(tools, root);
    return engine(plan);
  };
  const reader = (runId?: string): Promise<RunReader | null> => readerOf(tools, root, runId);
  return {
    root,
    repository,
    engine,
    reader,
    loadPlan: (options = {}) => loadPlan(tools, root, cwd, options),
    start: async (plan, options = {}) =>
      startRun(await driver(plan), plan, { frontDoor: options.frontDoor ?? 'api' }),
    resume: async (runId) => resumeRun({ tools, root, engine: driver }, await reader(runId)),
    retry: async (target, runId) =>
      retryTasks({ tools, root, engine: driver }, await reader(runId), target),
    resolve: async (task, step, runId) =>
      resolveTask({ tools, root, engine }, await reader(runId), task, step),
    request: async (request, runId) => sendRequest({ tools, root }, await reader(runId), request),
    waitAtBarrier: async (barrier, { run, ...options } = {}) =>
      waitHere(tools, root, await reader(run ?? tools.env['PARALLEL_RUN_ID']), barrier, options),
    withDefaultSetup: (plan) => withDefaultSetup(tools, root, plan),
    durations: (plan) => knownDurations(tools.fs, root, plan),
    forecastEvidence: () => forecastEvidence(tools, root),
    runs: () => listRuns(tools.fs, root),
    reportProgress: (percent, note) => reportProgress(tools, root, percent, note),
    declareNoop: (reason) => declareNoop(tools, reason),
    declareCost: (cost) => declareCost(tools, cost),
    locks: () => readLocks(tools, root),
    requestWrites: (globs) => requestWrites(tools, root, globs),
    leftovers: (choice = {}) => reportLeftovers({ tools, repository }, choice),
    clean: (choice, onPlan) => cleanUp({ tools, repository }, choice, onPlan),
    hasPlan: async () => (await planAtRoot(tools, root)) !== null,
    initPlan: () => initPlan(tools, root),
  };
}

async function readerOf(tools: Toolbox, root: string, runId?: string): Promise<RunReader | null> {
  if (runId === undefined || isRunId(runId)) return openRunReader(tools, root, runId);
  throw new UserError(
    'usage',
    `${JSON.stringify(runId)} is not a run id.`,
    'Run ids look like PEXEC-1705323000000.',
  );
}

async function initPlan(tools: Toolbox, root: string): ReturnType<Workspace['initPlan']> {
  const present = await planAtRoot(tools, root);
  if (present !== null) return { path: present, created: false };
  const path = join(root, PLAN_FILES[0]);
  return { path, created: await tools.fs.createExclusive(path, STARTER_PLAN) };
}

/**
 * Loads the code that reads plans, if it is not there yet. It takes a while, and most commands read no
 * plan; who is going to read one may call this while it waits for the workspace.
 */
export function loadPlanReader(): Pick<typeof LoadPlan, 'parsePlan'> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as said above
  return require('../plan/load-plan') as typeof LoadPlan;
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
  const { parsePlan } = loadPlanReader();
  const parse = (): LoadPlan.ParsedPlan =>
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

async function waitHere(
  tools: Toolbox,
  root: string,
  reader: RunReader | null,
  barrier: string,
  options: BarrierWaitOptions,
): Promise<BarrierWait> {
  if (reader === null)
    throw new UserError('usage', 'There is no run here.', 'Start one with parallel-cli run.');
  const { id, plan } = reader;
  const mark = markOf(tools.env);
  const waiter =
    mark?.run === id ? (plan.tasks.find((task) => task.id === mark.task)?.id ?? null) : null;
  const report = (type: 'barrier:waiting' | 'barrier:left'): Promise<void> =>
    appendFact(tools, root, id, { type, barrier, waiter, at: tools.clock.now() });
  return waitAtBarrier(tools, reader, barrier, { waiter, report }, options);
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
