import type { DurationModel } from '../graph/durations';
import type { WorktreePool } from '../isolate/worktree-pool';
import type { ControlRequest } from '../model/control-request';
import type { Fact, FrontDoor, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import { parseRunId } from '../model/ids';
import type { RunResult } from '../model/result';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Journal } from '../ports/journal';
import { planDigest } from '../plan/task-key';
import { runResult } from '../report/run-result';
import { TakenOver } from '../merge/land';
import type { RunState } from '../schedule/run-state';
import { writeResultFile } from '../store/result-file';
import { createRun, runPaths } from '../store/run-dir';
import type { RunParts } from './run-parts';
import { assembleRun } from './assemble';
import type { Claim } from './claim';
import { claimedJournal, claimWorkspace, raiseClaim, takenOver } from './claim';
import { tellDiskRefusal } from './disk-refusal';
import type { Engine } from './engine';
import { checkAdapters, openRunJournal, withSecretsOf } from './engine';
import { knownDurations } from './learn-durations';
import { withPinnedGit } from './pinned-git';
import { openPullRequests } from './pull-requests';
import { preflight } from './preflight';
import { recoverRun } from './recover';
import { checkRemote } from './remote';
import { notesOf } from './run-notes';
import { isFact } from './facts';
import type { EventListener } from './run-loop';
import type { Snapshots } from './snapshots';
import { snapshotsOf } from './snapshots';

/** A run in this process. */
export interface Run {
  readonly id: RunId;
  readonly plan: Plan;
  /** What earlier runs say about how long its tasks take. */
  readonly durations: DurationModel;
  /** What the person should know before it starts, e.g. that uncommitted files are left alone. */
  readonly notes: readonly string[];
  readonly events: { on(listener: EventListener): () => void };
  /** Resolves when the run is over and everything it started has ended; rejects on an internal error. */
  readonly done: Promise<RunResult>;
  /** Absolute path of `report/result.json`, written at the end. */
  readonly reportPath: string;
  /** `suspend`: agents at work stand still; without it they finish. */
  pause(options?: { readonly suspend?: boolean }): void;
  resume(): void;
  /** From now on at most `maxAgents` at once. */
  resize(maxAgents: number): void;
  /** A task that did not land, or `all` of them. */
  retry(target: string): void;
  /** `agent-3`, a task id, or `all`. */
  kill(target: string): void;
  stop(how: 'drain' | 'stop' | 'kill'): void;
}

const MEND_AND_RESUME = 'Mend that, then continue with parallel-cli resume.';

export interface StartOptions {
  readonly frontDoor: FrontDoor;
}

/** Starts a plan in the checkout. Rejects with `UserError` before anything is created. */
export async function startRun(opened: Engine, plan: Plan, options: StartOptions): Promise<Run> {
  await checkBeforehand(opened, plan);
  await checkRemote(opened, plan);
  const { fs, clock, processes } = opened.tools;
  const { repository } = opened;
  const { frontDoor } = options;
  const made = parseRunId(`PEXEC-${clock.now()}`);
  return inClaim(opened, made, frontDoor, async (token) => {
    const id = await createRun(fs, clock, repository.root, plan);
    const engine = await withPinnedGit(withSecretsOf(opened, plan), id);
    const claim = await raiseClaim(engine, token, id, frontDoor);
    const first: Fact = {
      type: 'run:started',
      run: id,
      planFile: plan.file,
      planDigest: planDigest(plan),
      base: repository.head,
      target: repository.branch,
      maxAgents: plan.settings.maxAgents,
      frontDoor,
      tasks: plan.tasks.length,
      owner: processes.self(),
      at: clock.now(),
    };
    const { journal, snapshots } = await journalOf(engine, id, plan, claim);
    return launch(engine, { id, plan, claim, first, frontDoor, journal, snapshots });
  });
}

async function checkBeforehand(opened: Engine, plan: Plan): Promise<void> {
  checkAdapters(opened.tools, plan);
  // Whoever needs it is told what is wrong.
  opened.gitConfig().catch(() => undefined);
  await preflight(opened, plan);
}

/** Begins a run with the checkout claimed for it; where that fails, the checkout is given back. */
function inClaim(
  opened: Engine,
  run: RunId,
  frontDoor: FrontDoor,
  begin: (token: number) => Promise<Run>,
): Promise<Run> {
  const fix = 'Make room on it or mend it, then try again. What was stored before is not lost.';
  return tellDiskRefusal('The run cannot begin', fix, async () => {
    const token = await claimWorkspace(opened, run, frontDoor);
    try {
      return await begin(token);
    } catch (error) {
      await opened.leases.release(token).catch(() => undefined);
      await opened.leases.close().catch(() => undefined);
      throw error;
    }
  });
}

/** Continues a run whose process is gone, from its journal. */
export async function continueRun(opened: Engine, id: RunId, plan: Plan): Promise<Run> {
  await checkBeforehand(opened, plan);
  return inClaim(opened, id, 'cli', async (token) => {
    const engine = await withPinnedGit(withSecretsOf(opened, plan), id);
    const claim = await raiseClaim(engine, token, id, 'cli');
    const { journal, snapshots } = await journalOf(engine, id, plan, claim);
    const { facts: before, ...recovered } = await recoverRun(engine, id, plan, journal);
    const { clock, processes } = engine.tools;
    const first: Fact = { type: 'run:resumed', owner: processes.self(), at: clock.now() };
    return launch(engine, {
      id,
      plan,
      claim,
      journal,
      snapshots,
      ...recovered,
      before,
      first,
      frontDoor: 'cli',
    });
  });
}

/** The journal of a run that this process drives, and the snapshots it makes of it. */
async function journalOf(
  { tools, redactor, repository: { root } }: Engine,
  run: RunId,
  plan: Plan,
  claim: Claim,
): Promise<Pick<Launch, 'journal' | 'snapshots'>> {
  const snapshots = snapshotsOf(tools.fs, runPaths(root, run).dir, plan);
  const journal = await openRunJournal(tools, root, run, redactor, snapshots.take);
  return { snapshots, journal: claimedJournal(journal, claim) };
}

interface Launch {
  readonly id: RunId;
  readonly plan: Plan;
  readonly claim: Claim;
  readonly journal: Journal;
  readonly snapshots: Snapshots;
  readonly state?: RunState;
  readonly pool?: WorktreePool;
  /** Facts to report before the run goes on. */
  readonly before?: readonly Fact[];
  /** Facts to report once they can be: see `Recovery`. */
  readonly later?: readonly (() => Promise<Fact>)[];
  /** Journalled requests to take up once it goes on. */
  readonly requests?: readonly Fact[];
  /** Leases taken for candidates that were queued before a crash. */
  readonly tokens?: ReadonlyMap<TaskId, number>;
  readonly first: Fact;
  readonly frontDoor: FrontDoor;
}

async function launch(engine: Engine, info: Launch): Promise<Run> {
  const { id: run, plan, journal, claim, frontDoor, state, pool } = info;
  const durations = await knownDurations(engine.tools.fs, engine.repository.root, plan);
  const options = { run, plan, journal, claim, frontDoor, state, pool, durations };
  const parts = await assembleRun(engine, options);
  for (const [task, token] of info.tokens ?? []) parts.activity.adopt(task, token);
  // Begins in the next turn, so that whoever starts a run sees its first event.
  const done = new Promise<void>((resolve) => {
    setImmediate(resolve);
  }).then(() => drive(engine, info, parts));
  done.catch(() => undefined);
  const ask = (request: ControlRequest): void => {
    const at = engine.tools.clock.now();
    void parts.loop.emit({ type: 'control:requested', request, by: 'you', at });
  };
  return {
    id: run,
    plan,
    durations,
    done,
    reportPath: runPaths(engine.repository.root, run).resultFile,
    notes: notesOf(engine, plan),
    events: { on: (listener) => parts.loop.on(listener) },
    pause: ({ suspend = false } = {}) => {
      ask(suspend ? { kind: 'pause', suspend } : { kind: 'pause' });
    },
    resize: (maxAgents) => {
      ask({ kind: 'agents', maxAgents });
    },
    retry: (target) => {
      ask({ kind: 'retry', target });
    },
    resume: () => {
      ask({ kind: 'resume' });
    },
    kill: (target) => {
      ask({ kind: 'kill', target });
    },
    stop: (how) => {
      // While the disk refuses nothing is decided, a stop neither: the run ends as it is, to be resumed.
      if (how !== 'drain' && parts.guard.isHeld) parts.guard.giveUp();
      ask({ kind: 'stop', how });
    },
  };
}

async function drive(engine: Engine, info: Launch, parts: RunParts): Promise<RunResult> {
  const { loop } = parts;
  const unfollow = info.journal.follow((events) => {
    for (const event of events) if (isFact(event)) loop.takeIn(event);
    // Of this run only who drives it says so, and that was this process.
    if (events.some(({ type }) => type === 'run:resumed')) info.claim.check().catch(loop.fail);
  });
  for (const fact of [...(info.before ?? []), info.first]) void loop.emit(fact);
  for (const request of info.requests ?? []) loop.takeIn(request);
  const late = (info.later ?? []).map(async (save) => {
    await loop.emit(await parts.guard.insist(save));
  });
  Promise.all(late).catch(loop.fail);
  try {
    await loop.finished.catch((error: unknown) => giveUp(error, info, parts));
    // The disk refused to the end, and somebody told the run not to wait for it.
    return await tellDiskRefusal(`The run ${info.id} cannot go on`, MEND_AND_RESUME, () =>
      conclude(engine, info, parts),
    );
  } catch (error) {
    if (error instanceof TakenOver) throw takenOver(info.id);
    throw error;
  } finally {
    unfollow();
    await Promise.allSettled(late);
    await info.claim.release();
    await engine.leases.close();
    await info.snapshots.settled();
    await info.journal.close();
  }
}

/** Without its journal a run may not act: its agents are ended, what they wrote is kept. */
async function giveUp(error: unknown, info: Launch, parts: RunParts): Promise<never> {
  const overtaken = error instanceof TakenOver;
  await parts.activity.abandon({ agents: !overtaken || (await info.claim.holder()) !== info.id });
  if (overtaken) throw error;
  throw new UserError(
    'environment',
    `The run ${info.id} cannot go on: its journal cannot be written (${messageOf(error)}).`,
    MEND_AND_RESUME,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends what still runs, moves the target a last time, writes the result, clears the worktrees. */
async function conclude(engine: Engine, info: Launch, parts: RunParts): Promise<RunResult> {
  await parts.settle();
  // To delete what agents had takes its time, and the result does not wait for it; the claim does.
  const both = [tellResult(engine, info, parts), parts.pool.close()] as const;
  await Promise.allSettled(both);
  const [result] = await Promise.all(both);
  await parts.verifier?.close();
  await parts.pool.close();
  return result;
}

async function tellResult(engine: Engine, info: Launch, parts: RunParts): Promise<RunResult> {
  const { guard, integration, loop } = parts;
  await guard.insist(() => integration.publish());
  if (info.plan.settings.land === 'pr') {
    const tip = await integration.published();
    const told = { engine, plan: info.plan, run: info.id, events: await info.journal.read(), tip };
    await openPullRequests({ ...told, emit: (fact) => loop.emit(fact) });
  }
  const events: readonly RunEvent[] = await info.journal.read();
  const result = runResult(info.plan, events, engine.tools.clock.now());
  await guard.insist(() =>
    writeResultFile(engine.tools.fs, engine.repository.root, info.id, result),
  );
  return result;
}
