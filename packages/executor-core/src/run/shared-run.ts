import type { Fact, RunEvent } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import { isRunId, parseTaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { UserError } from '../model/user-error';
import type { Journal } from '../ports/journal';
import { planDigest } from '../plan/task-key';
import type { RunResult } from '../model/result';
import { stateOf } from '../schedule/run-state';
import { runResult } from '../report/run-result';
import { TakenOver } from '../merge/land';
import { writeResultFile } from '../store/result-file';
import { joinRun, loadRunPlan } from '../store/run-dir';
import type { RunParts } from './run-parts';
import { assembleRun } from './assemble';
import type { Claim } from './claim';
import { claimedJournal, claimWorkspace, raiseClaim, takenOver } from './claim';
import { tellDiskRefusal } from './disk-refusal';
import type { Engine } from './engine';
import { openRunJournal, withSecretsOf } from './engine';
import { preflight } from './preflight';
import { isFact } from './facts';
import { publishedTip, targetRef } from './integration';
import { withPinnedGit } from './pinned-git';
import { openPullRequests } from './pull-requests';
import { checkRemote } from './remote';

/** The part of a shared run that one process plays. */
export interface SharedPart {
  readonly plan: Plan;
  readonly run: RunId;
  readonly tasks: readonly Task[];
  /** How many tasks Nx runs at once, where that is known. */
  readonly parallel?: number | undefined;
}

/** Opens the shared run with a loop over its part's tasks only; closes it again whatever happens. */
export async function inSharedRun<T>(
  opened: Engine,
  { plan, run, tasks, parallel }: SharedPart,
  body: (
    parts: RunParts,
    first: Fact,
    own: { readonly journal: Journal; readonly claim: Claim },
  ) => Promise<T>,
): Promise<T> {
  const { repository } = opened;
  await preflight(opened, plan);
  await checkRemote(opened, plan);
  const { token, created } = await join(opened, plan, run);
  const engine = await withPinnedGit(withSecretsOf(opened, plan), run);
  const claim = await raiseClaim(engine, token, run, 'nx');
  const written = await openRunJournal(engine.tools, repository.root, run, engine.redactor);
  const journal = claimedJournal(written, claim);
  const parts = await assembleRun(engine, {
    run,
    plan: tasks.length > 1 ? atMost(only(plan, tasks), parallel) : only(plan, tasks),
    wholePlan: plan,
    journal,
    claim,
    frontDoor: 'nx',
  });
  const before = await journal.read();
  for (const request of standingRequests(before, tasks)) parts.loop.takeIn(request);
  const unfollow = journal.follow((events) => {
    for (const event of events)
      if (isFact(event) && !event.type.startsWith('run:')) parts.loop.takeIn(event);
  });
  const begun = before.find(({ type }) => type === 'run:started') ?? null;
  const first = firstFact(engine, plan, run, { begun, created, parallel });
  try {
    return await body(parts, first, { journal, claim });
  } catch (error) {
    if (!(error instanceof TakenOver)) throw error;
    await parts.activity.abandon({ agents: (await claim.holder()) !== run });
    throw takenOver(run);
  } finally {
    await parts.settle();
    await parts.lander.publishRest();
    unfollow();
    await parts.pool.close();
    await claim.release();
    await engine.leases.close();
    await journal.close();
  }
}

/** `token`: of the lease on the checkout; `created`: the run was not there before. */
function join(
  opened: Engine,
  plan: Plan,
  run: RunId,
): Promise<{ readonly token: number; readonly created: boolean }> {
  const fix = 'Make room on it or mend it, then run the same nx command again.';
  return tellDiskRefusal('The task cannot begin', fix, async () => ({
    token: await claimWorkspace(opened, run, 'nx'),
    created: await joinRun(opened.tools.fs, opened.repository.root, run, plan),
  }));
}

/** The process that made the run starts it; the others join. */
interface First {
  /** The start of the run by another process, where it is known. */
  readonly begun: RunEvent | null;
  readonly created: boolean;
  readonly parallel: number | undefined;
}

function firstFact(
  { tools, repository }: Engine,
  plan: Plan,
  run: RunId,
  { begun, created, parallel }: First,
): Fact {
  const owner = tools.processes.self();
  const at = tools.clock.now();
  const since = begun === null ? {} : { since: begun.at };
  if (!created) return { type: 'run:joined', owner, ...since, at };
  return {
    type: 'run:started',
    run,
    planFile: plan.file,
    planDigest: planDigest(plan),
    base: repository.head,
    target: repository.branch,
    maxAgents: Math.min(plan.settings.maxAgents, parallel ?? Infinity),
    frontDoor: 'nx',
    tasks: plan.tasks.length,
    owner,
    at,
  };
}

/**
 * What was asked of the run before this process joined and still holds: a pause that nobody undid, so
 * that it waits, and the end of its tasks.
 */
function standingRequests(events: readonly RunEvent[], tasks: readonly Task[]): readonly Fact[] {
  let pause: Fact | null = null;
  const kills: Fact[] = [];
  for (const event of events) {
    if (event.type !== 'control:requested') continue;
    const { request } = event;
    if (request.kind === 'pause') pause = event;
    if (request.kind === 'resume') pause = null;
    if (request.kind !== 'kill') continue;
    if (request.target === 'all' || tasks.some(({ id }) => id === request.target))
      kills.push(event);
  }
  return pause === null ? kills : [pause, ...kills];
}

/**
 * Ends the run of one Nx invocation: records its outcome, opens its pull requests, writes its result and
 * resolves with it. Tasks Nx did not ask for stay pending and do not count. Does nothing, and resolves with
 * `null`, when no task of the invocation was an agent's.
 */
export async function finishSharedRun(opened: Engine, runId: string): Promise<RunResult | null> {
  const run = requireRunId(runId);
  const { fs, clock } = opened.tools;
  const { root } = opened.repository;
  const plan = await loadRunPlan(fs, root, run);
  if (plan === null) return null;
  const engine = withSecretsOf(opened, plan);
  const journal = await openRunJournal(engine.tools, root, run, engine.redactor);
  try {
    const events = await journal.read();
    const failed = events.some(({ type }) => type === 'task:failed' || type === 'task:conflicted');
    const landed = events.some(({ type }) => type === 'task:landed');
    const outcome = failed ? 'failed' : landed ? 'completed' : 'stopped';
    await journal.append([{ type: 'run:finished', outcome, at: clock.now() }]);
    if (landed) await askForWhatLanded(engine, plan, run, journal);
    const result = runResult(plan, await journal.read(), clock.now());
    await writeResultFile(fs, root, run, result);
    return result;
  } finally {
    await journal.close();
    await engine.leases.close();
  }
}

/** Tasks of one Nx invocation end in many processes; this is after the last of them. */
async function askForWhatLanded(
  opened: Engine,
  plan: Plan,
  run: RunId,
  journal: Journal,
): Promise<void> {
  if (plan.settings.land !== 'pr') return;
  const engine = await withPinnedGit(opened, run);
  const { root, branch } = engine.repository;
  const tip = await publishedTip(engine.tools.git, root, run, targetRef('pr', branch, run));
  const emit = (fact: Fact): Promise<void> => journal.append([fact]);
  await openPullRequests({ engine, plan, run, events: await journal.read(), tip, emit });
}

/** The plan with these tasks alone; what they depend on beside each other is somebody else's business. */
export function only(plan: Plan, tasks: readonly Task[]): Plan {
  const here = new Set(tasks.map(({ id }) => id));
  const part = tasks.map((task, index) => {
    const dependsOn = task.dependsOn.filter((id) => here.has(id));
    return { ...task, index, dependsOn, phase: null };
  });
  return { ...plan, phases: [], tasks: part };
}

/** The plan with no more agents at once than Nx runs tasks, where it does not see to that itself. */
function atMost(plan: Plan, parallel: number | undefined): Plan {
  const maxAgents = Math.min(plan.settings.maxAgents, parallel ?? Infinity);
  const tasks = plan.tasks.map((task) => {
    return { ...task, homeSlot: ((task.homeSlot - 1) % maxAgents) + 1 };
  });
  return { ...plan, tasks, settings: { ...plan.settings, maxAgents } };
}

export function findTask(plan: Plan, id: string): Task {
  const task = plan.tasks.find((other) => other.id === parseTaskId(id));
  if (task !== undefined) return task;
  throw new UserError('usage', `The plan has no task ${id}.`, 'Run nx reset if the plan changed.');
}

export function requireRunId(text: string): RunId {
  if (isRunId(text)) return text;
  throw new UserError(
    'usage',
    `Bad run id ${JSON.stringify(text)}.`,
    'It has the form PEXEC-<ms>.',
  );
}
/** How a task of this process stands at the end. */
export function verdictOf(
  parts: RunParts,
  task: TaskId,
): { success: boolean; reason: string | null } {
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
