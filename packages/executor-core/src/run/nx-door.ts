import type { Candidate, Fact } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import { isRunId, parseTaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { UserError } from '../model/user-error';
import type { Journal } from '../ports/journal';
import { planDigest, taskKey } from '../plan/task-key';
import { candidateFromPatch } from '../merge/candidate-patch';
import { landedCandidates } from '../merge/landed';
import { stateOf } from '../schedule/run-state';
import { readBundle } from '../store/result-bundle';
import { joinRun } from '../store/run-dir';
import type { RunParts } from './assemble';
import { assembleRun } from './assemble';
import type { Engine } from './engine';
import { checkAdapters, claimWorkspace, openRunJournal } from './engine';
import { isFact } from './facts';
import { targetRef } from './integration';

/** One `agent` target of an Nx invocation. */
export interface SingleTaskRequest {
  readonly task: string;
  /** Run shared by all processes of the invocation, `PEXEC-<ms>`. */
  readonly runId: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Parameters<Parameters<RunParts['loop']['on']>[0]>[0]) => void;
}

export interface SingleTaskResult {
  readonly success: boolean;
  /** Why it did not land, one line. */
  readonly reason: string | null;
  readonly runId: RunId;
}

/**
 * Runs and lands one task of `plan` in a run that several processes share. The caller has seen to it
 * that what it depends on has landed.
 */
export async function runSingleTask(
  engine: Engine,
  plan: Plan,
  request: SingleTaskRequest,
): Promise<SingleTaskResult> {
  const task = findTask(plan, request.task);
  checkAdapters(engine.tools, plan);
  const runId = requireRunId(request.runId);
  return inSharedRun(engine, plan, runId, [task], async (parts, first) => {
    const { loop } = parts;
    const stop = loop.on((event) => request.onEvent?.(event));
    const onAbort = (): void => {
      const request_ = { kind: 'stop', how: 'stop' } as const;
      void loop.emit({
        type: 'control:requested',
        request: request_,
        by: 'Nx',
        at: engine.tools.clock.now(),
      });
    };
    request.signal?.addEventListener('abort', onAbort, { once: true });
    if (request.signal?.aborted === true) onAbort();
    void loop.emit(first);
    await loop.finished;
    stop();
    request.signal?.removeEventListener('abort', onAbort);
    return { runId, ...verdictOf(parts, task.id) };
  });
}

export interface LandBundlesResult {
  readonly landed: readonly TaskId[];
  /** Landed before: nothing was done. */
  readonly already: readonly TaskId[];
  readonly failed: readonly { readonly task: TaskId; readonly reason: string }[];
}

/** Lands finished tasks from their result bundles, through the merge queue, without running an agent. */
export async function landBundles(
  engine: Engine,
  plan: Plan,
  runId: string,
  tasks: readonly string[],
): Promise<LandBundlesResult> {
  const run = requireRunId(runId);
  const ids = tasks.map((task) => findTask(plan, task).id);
  return inSharedRun(engine, plan, run, [], (_parts, _first, journal) =>
    landCached(engine, plan, run, ids, journal),
  );
}

/** Opens the shared run with a loop over `tasks` only; closes it again whatever happens. */
async function inSharedRun<T>(
  engine: Engine,
  plan: Plan,
  run: RunId,
  tasks: readonly Task[],
  body: (parts: RunParts, first: Fact, journal: Journal) => Promise<T>,
): Promise<T> {
  const { tools, repository } = engine;
  const claim = await claimWorkspace(engine, run, 'nx');
  const created = await joinRun(tools.fs, repository.root, run, plan);
  const journal = await openRunJournal(engine, run);
  const parts = await assembleRun(engine, {
    run,
    plan: only(plan, tasks),
    journal,
    frontDoor: 'nx',
  });
  const unfollow = journal.follow((events) => {
    for (const event of events)
      if (isFact(event) && !event.type.startsWith('run:')) parts.loop.takeIn(event);
  });
  const owner = tools.processes.self();
  const at = tools.clock.now();
  const first: Fact = created
    ? {
        type: 'run:started',
        run,
        planFile: plan.file,
        planDigest: planDigest(plan),
        base: repository.head,
        target: repository.branch,
        maxAgents: plan.settings.maxAgents,
        frontDoor: 'nx',
        tasks: plan.tasks.length,
        owner,
        at,
      }
    : { type: 'run:joined', owner, at };
  try {
    return await body(parts, first, journal);
  } finally {
    await parts.activity.settle();
    unfollow();
    await parts.pool.close();
    await engine.leases.release(claim);
    await engine.leases.close();
    await journal.close();
  }
}

async function landCached(
  engine: Engine,
  plan: Plan,
  run: RunId,
  ids: readonly TaskId[],
  journal: Journal,
): Promise<LandBundlesResult> {
  const result = {
    landed: [] as TaskId[],
    already: [] as TaskId[],
    failed: [] as { task: TaskId; reason: string }[],
  };
  const tasks = ids.map((id) => findTask(plan, id)).filter((task) => task.profile !== null);
  if (tasks.length === 0) return result;
  const parts = await assembleRun(engine, {
    run,
    plan: only(plan, tasks),
    journal,
    frontDoor: 'nx',
  });
  const queued: TaskId[] = [];
  for (const task of tasks) {
    const answer = await candidateOfBundle(engine, plan, run, task, parts);
    if (answer === 'landed') result.already.push(task.id);
    else if ('reason' in answer) result.failed.push({ task: task.id, reason: answer.reason });
    else {
      queued.push(task.id);
      await parts.loop.emit({
        type: 'task:cached',
        task: task.id,
        candidate: answer.candidate,
        at: engine.tools.clock.now(),
      });
    }
  }
  await parts.activity.settle();
  for (const task of queued) {
    const verdict = verdictOf(parts, task);
    if (verdict.success) result.landed.push(task);
    else result.failed.push({ task, reason: verdict.reason ?? 'it did not land' });
  }
  return result;
}

async function candidateOfBundle(
  engine: Engine,
  plan: Plan,
  run: RunId,
  task: Task,
  parts: RunParts,
): Promise<'landed' | { readonly reason: string } | { readonly candidate: Candidate }> {
  const { git, fs } = engine.tools;
  const { root, branch } = engine.repository;
  const reading = await readBundle(fs, engine.state.outDir, task.id);
  if (reading.bundle === null) return { reason: reading.reason };
  const { bundle } = reading;
  if (bundle.key !== taskKey(plan, task))
    return { reason: 'its result bundle belongs to another version of the plan' };
  if (bundle.noop) return 'landed';
  const target = targetRef(plan.settings.land, branch, run) ?? parts.integration.ref;
  const id = bundle.commit;
  for (const ref of new Set([parts.integration.ref, target])) {
    const exists =
      (await git.run(['rev-parse', '--verify', '--quiet', ref], { cwd: root })).exitCode === 0;
    if (exists && id !== undefined && (await landedCandidates(git, root, ref)).has(id))
      return 'landed';
  }
  const onto = await parts.integration.tip();
  const made = await candidateFromPatch({
    git,
    fs,
    root,
    run,
    task: task.id,
    fence: 0,
    message: bundle.message,
    onto,
    patch: bundle.patch,
  });
  return 'candidate' in made
    ? { candidate: made.candidate }
    : { reason: describeFailure(made.failure) };
}

function verdictOf(parts: RunParts, task: TaskId): { success: boolean; reason: string | null } {
  const now = stateOf(parts.loop.current, task);
  switch (now?.name) {
    case 'landed':
      return { success: true, reason: null };
    case 'failed':
    case 'backoff':
      return { success: false, reason: describeFailure(now.failure) };
    case 'conflicted':
      return { success: false, reason: `conflicts in ${now.paths.join(', ')} wait for a person` };
    case 'cancelled':
      return { success: false, reason: `cancelled by ${now.by}` };
    case undefined:
    case 'pending':
    case 'leasing':
    case 'running':
    case 'verifying':
    case 'queued':
    case 'merging':
    case 'blocked':
      return { success: false, reason: 'stopped before it landed' };
  }
}

/** The plan with these tasks alone; what they depend on is somebody else's business. */
function only(plan: Plan, tasks: readonly Task[]): Plan {
  return {
    ...plan,
    phases: [],
    tasks: tasks.map((task, index) => ({ ...task, index, dependsOn: [], phase: null })),
  };
}

function findTask(plan: Plan, id: string): Task {
  const task = plan.tasks.find((other) => other.id === parseTaskId(id));
  if (task !== undefined) return task;
  throw new UserError('usage', `The plan has no task ${id}.`, 'Run nx reset if the plan changed.');
}

function requireRunId(text: string): RunId {
  if (isRunId(text)) return text;
  throw new UserError(
    'usage',
    `Bad run id ${JSON.stringify(text)}.`,
    'It has the form PEXEC-<ms>.',
  );
}
