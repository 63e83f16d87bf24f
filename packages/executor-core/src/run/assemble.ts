import limitConcurrency from 'p-limit';
import { checkEnvironment } from '../isolate/git-env';
import type { WorktreePool } from '../isolate/worktree-pool';
import { createWorktreePool } from '../isolate/worktree-pool';
import { setUpWorktree } from '../isolate/worktree-setup';
import type { Fact, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import { redactEvent } from '../model/redact-event';
import { withSecretNames } from '../model/secret-values';
import type { AgentProfile, Plan, Task } from '../model/task';
import { viewOf } from '../report/fold';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { accessOf, initialState } from '../schedule/run-state';
import { reserveDiskNote } from '../store/disk-note';
import { runPaths } from '../store/run-dir';
import { Activity } from './activity';
import { affectedBy } from './affected-by';
import { createAttemptRunner } from './attempt';
import type { AttemptContext } from './attempt-context';
import { saveBundle } from './bundle-step';
import { Checkpoints } from './checkpoints';
import { conflictWatchOf } from './conflict-watch-of';
import { withDefaultSetup } from './default-setup';
import { DiskGuard } from './disk-guard';
import { heldBy } from './confine';
import type { Engine } from './engine';
import { adapterOf } from './engine';
import { Integration } from './integration';
import { Lander } from './lander';
import { landerContext } from './lander-context';
import { knownDurations } from './learn-durations';
import { publishingOf } from './style-of-plan';
import { resolverOf } from './resolver';
import { RunLoop } from './run-loop';
import type { AssembleOptions, RunParts } from './run-parts';
import { settlingOf } from './settling';
import { startsOf } from './starts';
import { waitingIn, wouldRetry } from './state-queries';
import { checksOf, createVerifier } from './verifier';
import { worktreeWays } from './worktree-ways';

/** Time a program has between SIGINT and SIGTERM, and again before SIGKILL. */
const GRACE_MS = 2000;
/** Nx ends us five seconds after it asked: by then every agent must be gone and its work be kept. */
const NX_GRACE_MS = 800;

/** The worktrees of a run. */
export function poolOf(engine: Engine, run: RunId, plan: Plan): WorktreePool {
  const { git, fs, files, mutex, mounts, clock, processes } = engine.tools;
  const { root, commonDir } = engine.repository;
  return createWorktreePool({
    isAlive: (pid) => processes.identify(pid) !== null,
    git,
    fs,
    files,
    mutex,
    mounts,
    clock,
    root,
    commonDir,
    base: plan.settings.worktreeBase,
    runId: run,
  });
}

/** Wires loop, attempts, lander and integration branch of one run. */
export async function assembleRun(engine: Engine, given: AssembleOptions): Promise<RunParts> {
  const { tools } = engine;
  const plan = await withDefaultSetup(tools, engine.repository.root, given.plan);
  const options = { ...given, plan };
  const { run, journal } = options;
  const state = options.state ?? (await freshState(engine, options));
  const wire: { loop?: RunLoop; activity?: Activity } = {};
  const guard = guardDisk(engine, run, (event) => wire.loop?.announce(event));
  const emit: Emit = (fact) => wire.loop?.emit(fact) ?? Promise.resolve();
  const pool = options.pool ?? poolOf(engine, run, plan);
  const checks = await checksOf(engine, plan);
  const verifier = createVerifier({ engine, run, plan, checks, pool, graceMs: graceOf(options) });
  const integration = await openIntegration(engine, options, { emit, pool, verifier });
  const loop = new RunLoop(
    state,
    {
      journal,
      clock: tools.clock,
      guard,
      clean: (fact) => redactEvent(fact, engine.redactor),
    },
    (command) => wire.activity?.perform(command),
    options.frontDoor === 'nx' ? concernsAPartOnly : undefined,
  );
  const taskOf = (id: TaskId): Task =>
    plan.tasks[state.problem.indexOf.get(id) ?? -1] ?? missing(id);
  const parts = { loop, integration, pool, verifier, guard, emit, taskOf };
  const affected = affectedBy(engine, run, options.wholePlan ?? plan, checks) ?? undefined;
  const lander = new Lander({ ...landerContext(engine, options, parts), affected });
  const context = attemptContext(engine, options, parts);
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
    insist: (work) => guard.insist(work),
  });
  Object.assign(wire, { loop, activity });
  loop.on((event) => {
    if (event.type === 'task:landed' && waitingIn(loop.current).length === 0) lander.standDown();
  });
  const settle = settlingOf(engine, plan, { loop, integration, pool, activity });
  return { loop, activity, integration, lander, pool, verifier, guard, settle };
}

function openIntegration(
  { tools, repository }: Engine,
  { run, plan, frontDoor, claim: { fence } }: AssembleOptions,
  { emit, pool, verifier }: Pick<RunParts, 'pool' | 'verifier'> & { readonly emit: Emit },
): Promise<Integration> {
  const { root, branch, head } = repository;
  const alone = async <T>(body: () => Promise<T>): Promise<T> => (await pool.site()).alone(body);
  const how = publishingOf(plan.settings, frontDoor);
  const context = { ...tools, ...how, root, run, branch, emit, verifier, alone, fence };
  return Integration.open(context, head);
}

/** The guard of a run; its note has its room from now on. */
function guardDisk(engine: Engine, run: RunId, tell: (event: Fact) => void): DiskGuard {
  const { clock, disk, quick } = engine.tools;
  const { dir } = runPaths(engine.repository.root, run);
  reserveDiskNote(quick, dir);
  return new DiskGuard({ clock, disk, quick, dir, tell });
}

async function freshState(
  { tools, repository }: Engine,
  { plan, durations }: AssembleOptions,
): Promise<RunState> {
  const { expectedMs } = durations ?? (await knownDurations(tools.fs, repository.root, plan));
  return initialState(prepareProblem(plan, expectedMs));
}

/** What the end or a stop of one Nx process means is not true of the run it shares; a pause is. */
function concernsAPartOnly(event: RunEvent): boolean {
  if (event.type === 'run:mode') return event.mode === 'stopping' || event.mode === 'draining';
  return PRIVATE.has(event.type);
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

function attemptContext(
  engine: Engine,
  options: AssembleOptions,
  parts: Pick<RunParts, 'loop' | 'integration' | 'pool' | 'guard'> &
    Pick<AttemptContext, 'emit' | 'taskOf'>,
): AttemptContext {
  const { run, plan, journal } = options;
  const { tools, repository } = engine;
  const { setup } = plan.settings;
  const healer = plan.agents.find(({ name }) => name === plan.settings.healer) ?? null;
  return {
    ...tools,
    ...worktreeWays(engine, plan),
    run,
    redactor: engine.redactor,
    heldBy: (profile) => heldBy(tools, options.wholePlan ?? plan, profile),
    root: repository.root,
    pool: parts.pool,
    checkpoints: checkpointsOf(engine, options, parts),
    conflictWatch: conflictWatchOf(engine, options, parts),
    emit: parts.emit,
    taskOf: parts.taskOf,
    leases: engine.leases,
    paths: runPaths(repository.root, run),
    profileOf: (task) => profileOf(plan, task),
    adapterOf: (profile) => adapterOf(tools, profile),
    history: async (task) => viewOf(plan, await journal.read()).tasks.get(task)?.attempts ?? [],
    mayRetry: (task, failure) => wouldRetry(parts.loop.current, task, failure),
    startsFirst: startsOf(parts.loop, tools.clock),
    maxRetries: plan.settings.retry.maxRetries,
    healer,
    healing: limitConcurrency(healer?.maxParallel ?? Infinity),
    resolver: resolverOf(engine, run, options.wholePlan ?? plan),
    graceMs: graceOf(options),
    integrationTip: () => parts.integration.tip(),
    setup,
    setUp: (worktree, env, logPath, onProcess) =>
      setUpWorktree({ ...tools, root: repository.root, worktree, setup, env, logPath, onProcess }),
    checkEnvironment: (baseCommit, ports) =>
      withSecretNames(checkEnvironment(tools.env, baseCommit, ports), plan.settings.secrets),
    secrets: plan.settings.secrets ?? [],
    baseEnv: tools.env,
    insist: (work) => parts.guard.insist(work),
    saveBundle: (scene, candidate) => saveBundle(engine, plan, run, scene, candidate),
  };
}

function checkpointsOf(
  { tools, repository }: Engine,
  { run, plan }: AssembleOptions,
  { loop, pool, emit }: Pick<RunParts, 'loop' | 'pool'> & { readonly emit: Emit },
): Checkpoints {
  const { root } = repository;
  const when = plan.settings.checkpoint;
  const checkpoints = new Checkpoints({ ...tools, pool, root, run, when, emit });
  loop.on(checkpoints.take);
  return checkpoints;
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
