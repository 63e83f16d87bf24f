import { join } from 'node:path';
import { checkEnvironment } from '../isolate/git-env';
import type { WorktreePool } from '../isolate/worktree-pool';
import { createWorktreePool } from '../isolate/worktree-pool';
import { setUpWorktree } from '../isolate/worktree-setup';
import type { Fact, FrontDoor, RunEvent } from '../model/event';
import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import { redactEvent } from '../model/redact-event';
import { withSecretNames } from '../model/secret-values';
import type { AgentProfile, Plan, Task } from '../model/task';
import type { Journal } from '../ports/journal';
import { viewOf } from '../report/fold';
import { prepareProblem } from '../schedule/problem';
import { mayRetry } from '../schedule/retry-policy';
import type { RunState } from '../schedule/run-state';
import { accessOf, initialState, stateOf } from '../schedule/run-state';
import { openDurationHistory } from '../store/duration-history';
import { runPaths } from '../store/run-dir';
import { Activity } from './activity';
import { createAttemptRunner } from './attempt';
import type { AttemptContext } from './attempt-context';
import { saveBundle } from './bundle-step';
import { heldBy } from './confine';
import type { Engine } from './engine';
import { adapterOf } from './engine';
import { Integration } from './integration';
import { landingMessage } from './candidate-step';
import type { LanderContext, Waiting } from './lander';
import { Lander } from './lander';
import { knownDurations, recordDurations } from './learn-durations';
import { queuedCandidates } from './queued-candidates';
import { RunLoop } from './run-loop';
import type { Verifier } from './verifier';
import { createVerifier } from './verifier';

/** The parts of a live run, wired to each other. */
export interface RunParts {
  readonly loop: RunLoop;
  readonly activity: Activity;
  readonly integration: Integration;
  readonly lander: Lander;
  readonly pool: WorktreePool;
  readonly verifier: Verifier | null;
  /** Resolves when everything the run started has ended and what it learned is written. */
  readonly settle: () => Promise<void>;
}

export interface AssembleOptions {
  readonly run: RunId;
  readonly plan: Plan;
  readonly journal: Journal;
  readonly frontDoor: FrontDoor;
  /** Where `plan` is a part: the whole, for candidates of other processes. */
  readonly wholePlan?: Plan;
  /** State to go on from; a fresh one for a new run. */
  readonly state?: RunState;
}

/** Time a program has between SIGINT and SIGTERM, and again before SIGKILL. */
const GRACE_MS = 2000;
/** Nx ends us five seconds after it asked: by then every agent must be gone and its work be kept. */
const NX_GRACE_MS = 800;

/** Fence of a candidate that was made without a lease, from a result bundle. */
export const NO_LEASE = 0;

/** The worktrees of a run. */
export function poolOf(engine: Engine, run: RunId, plan: Plan): WorktreePool {
  const { git, fs, files, mutex, clock } = engine.tools;
  const { root, commonDir } = engine.repository;
  return createWorktreePool({
    git,
    fs,
    files,
    mutex,
    clock,
    root,
    commonDir,
    base: plan.settings.worktreeBase,
    runId: run,
  });
}

/** Wires loop, attempts, lander and integration branch of one run. */
export async function assembleRun(engine: Engine, options: AssembleOptions): Promise<RunParts> {
  const { run, plan, journal } = options;
  const { tools, repository } = engine;
  const state = options.state ?? (await freshState(engine, plan));
  const wire: { loop?: RunLoop; activity?: Activity } = {};
  const emit: Emit = (fact) => wire.loop?.emit(fact) ?? Promise.resolve();
  const pool = poolOf(engine, run, plan);
  const verifier = createVerifier({ engine, run, plan, pool, graceMs: graceOf(options) });
  const integration = await Integration.open(
    {
      ...tools,
      root: repository.root,
      run,
      land: plan.settings.land,
      branch: repository.branch,
      emit,
      verifier,
      alone: async (body) => (await pool.site()).alone(body),
    },
    repository.head,
  );
  const loop = new RunLoop(
    state,
    { journal, clock: tools.clock, clean: (fact) => redactEvent(fact, engine.redactor) },
    (command) => wire.activity?.perform(command),
    options.frontDoor === 'nx' ? concernsAPartOnly : undefined,
  );
  const lander = new Lander(landerContext(engine, options, { loop, integration, verifier, emit }));
  const taskOf = (id: TaskId): Task =>
    plan.tasks[state.problem.indexOf.get(id) ?? -1] ?? missing(id);
  const context = attemptContext(engine, options, { loop, integration, pool, emit, taskOf });
  const activity = new Activity({
    ...engine,
    clock: tools.clock,
    attempts: createAttemptRunner(context),
    lander,
    run,
    // What it was granted while it worked, it asks for again.
    taskOf: (id) => ({ ...taskOf(id), access: accessOf(loop.current, taskOf(id)) }),
    conflictPolicy: plan.settings.conflictPolicy,
    emit,
  });
  Object.assign(wire, { loop, activity });
  loop.on((event) => {
    if (event.type === 'task:landed' && waitingIn(loop.current).length === 0) lander.standDown();
  });
  const durations = recordDurations(openDurationHistory(tools.fs, repository.root), plan);
  loop.on(durations.take);
  const settle = (): Promise<void> => activity.settle().then(durations.settled);
  return { loop, activity, integration, lander, pool, verifier, settle };
}

async function freshState(engine: Engine, plan: Plan): Promise<RunState> {
  const { root } = engine.repository;
  const { expectedMs } = await knownDurations(engine.tools.fs, root, plan);
  return initialState(prepareProblem(plan, expectedMs));
}

/** What the end or a stop of one Nx process means is not true of the run it shares; a pause is. */
function concernsAPartOnly(event: RunEvent): boolean {
  if (event.type === 'run:mode') return event.mode === 'stopping' || event.mode === 'draining';
  return PRIVATE.has(event.type);
}

/** Lock shared by every process that lands in this checkout. */
export function mergeLock({ state }: Engine): string {
  return join(state.locksDir, 'merge');
}

function graceOf({ frontDoor }: AssembleOptions): number {
  return frontDoor === 'nx' ? NX_GRACE_MS : GRACE_MS;
}
const PRIVATE: ReadonlySet<RunEvent['type']> = new Set([
  'run:finished',
  'barrier:opened',
  'barrier:broken',
]);

type Emit = (fact: Fact) => Promise<void>;

function landerContext(
  engine: Engine,
  options: AssembleOptions,
  parts: Pick<RunParts, 'loop' | 'integration' | 'verifier'> & { readonly emit: Emit },
): LanderContext {
  const { run, plan, journal } = options;
  const { git, mutex, clock } = engine.tools;
  const shared = options.frontDoor === 'nx';
  return {
    git,
    mutex,
    clock,
    run,
    root: engine.repository.root,
    mergeLock: mergeLock(engine),
    integrationRef: parts.integration.ref,
    waiting: shared
      ? async () => queuedCandidates(await journal.read())
      : () => Promise.resolve(waitingIn(parts.loop.current)),
    verifier: parts.verifier,
    shared,
    checkFences: () => checkFences(engine),
    conflictPolicy: plan.settings.conflictPolicy,
    messageOf: (waiting) =>
      landingMessage(options.wholePlan ?? plan, run, waiting, engine.redactor),
    publish: () => parts.integration.publish(),
    emit: parts.emit,
  };
}

function attemptContext(
  engine: Engine,
  options: AssembleOptions,
  parts: Pick<RunParts, 'loop' | 'integration' | 'pool'> & Pick<AttemptContext, 'emit' | 'taskOf'>,
): AttemptContext {
  const { run, plan, journal } = options;
  const { tools, repository } = engine;
  const { setup } = plan.settings;
  return {
    ...tools,
    run,
    redactor: engine.redactor,
    heldBy: (profile) => heldBy(tools, options.wholePlan ?? plan, profile),
    root: repository.root,
    pool: parts.pool,
    emit: parts.emit,
    taskOf: parts.taskOf,
    leases: engine.leases,
    paths: runPaths(repository.root, run),
    profileOf: (task) => profileOf(plan, task),
    adapterOf: (profile) => adapterOf(tools, profile),
    history: async (task) => viewOf(plan, await journal.read()).tasks.get(task)?.attempts ?? [],
    mayRetry: (task, failure) => wouldRetry(parts.loop.current, task, failure),
    maxRetries: plan.settings.retry.maxRetries,
    healer: plan.agents.find(({ name }) => name === plan.settings.healer) ?? null,
    graceMs: graceOf(options),
    integrationTip: () => parts.integration.tip(),
    setup,
    setUp: (worktree, env, logPath, onProcess) =>
      setUpWorktree({ ...tools, root: repository.root, worktree, setup, env, logPath, onProcess }),
    checkEnvironment: (baseCommit) =>
      withSecretNames(checkEnvironment(tools.env, baseCommit), plan.settings.secrets),
    secrets: plan.settings.secrets ?? [],
    baseEnv: tools.env,
    saveBundle: (scene, candidate) => saveBundle(engine, plan, run, scene, candidate),
  };
}

/** A candidate may be of another process, so the whole table is asked, not what this process holds. */
async function checkFences(engine: Engine): Promise<(fence: number) => boolean> {
  const { leases } = await engine.leases.list();
  const current = new Set(leases.map(({ token }) => token));
  return (fence) => fence === NO_LEASE || current.has(fence);
}

function missing(id: TaskId): never {
  throw new Error(`Internal error: no task ${id} in the plan.`);
}

function profileOf(plan: Plan, task: Task): AgentProfile {
  const profile = plan.agents.find(({ name }) => name === task.profile);
  if (profile === undefined)
    throw new Error(`Internal error: task ${task.id} has no agent profile.`);
  return profile;
}

/** The scheduler's own answer to a failure that is not reported yet. */
function wouldRetry(state: RunState, task: TaskId, failure: Failure): boolean {
  const index = state.problem.indexOf.get(task);
  if (index === undefined || state.mode !== 'running') return false;
  const free = classifyFailure(failure) === 'free-retry';
  return mayRetry(state.problem.plan.settings.retry, failure, {
    spent: state.spent.get(index) + Number(!free),
    free: state.free.get(index) + Number(free),
  });
}

function waitingIn(state: RunState): readonly Waiting[] {
  return state.problem.plan.tasks.flatMap((task) => {
    const now = stateOf(state, task.id);
    return now?.name === 'queued' || now?.name === 'merging'
      ? [{ task: task.id, attempt: now.attempt, candidate: now.candidate }]
      : [];
  });
}
