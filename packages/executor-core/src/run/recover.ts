import type { Candidate, Fact } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { isUnderWay } from '../model/task-state';
import type { Journal } from '../ports/journal';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { accessOf } from '../schedule/run-state';
import { runPaths } from '../store/run-dir';
import type { WorktreeOwner } from '../isolate/admin-entry';
import type { WorktreePool } from '../isolate/worktree-pool';
import type { LeftToSave, Sweep } from '../isolate/worktree-sweep';
import { sweepWorktrees } from '../isolate/worktree-sweep';
import { poolOf } from './assemble';
import { finishedWork } from './finished-work';
import { knownDurations } from './learn-durations';
import { untoldCosts } from './agent-cost';
import type { LostAttempt } from './lost-work';
import { dropCheckpoint, lostWork } from './lost-work';
import type { Engine } from './engine';
import { foldJournal } from './snapshots';

/** Where a run stood, and what must be reported before it goes on. */
export interface Recovery {
  readonly state: RunState;
  readonly facts: readonly Fact[];
  /** Each saves what a lost attempt had written, which may take long, and gives the fact that reports it. */
  readonly later: readonly (() => Promise<Fact>)[];
  /** What was asked while nobody drove the run; in the journal already. */
  readonly requests: readonly Fact[];
  /** Leases taken anew for candidates that wait to land. */
  readonly tokens: ReadonlyMap<TaskId, number>;
  /** The worktrees of the run; those of lost attempts are for the next attempts of their tasks. */
  readonly pool: WorktreePool;
}

/**
 * Folds the journal of a run whose process is gone and puts right what it left: agents that still
 * run are ended, worktrees are saved under refs and cleared (those of lost attempts by `later`, until when
 * their slots are taken), finished candidates, also those that were not
 * journalled yet, get a fresh lease, so that they land without being made again. The caller holds the workspace.
 */
export async function recoverRun(
  engine: Engine,
  run: RunId,
  plan: Plan,
  journal: Journal,
): Promise<Recovery> {
  const { clock } = engine.tools;
  const { expectedMs } = await knownDurations(engine.tools.fs, engine.repository.root, plan);
  const problem = prepareProblem(plan, expectedMs);
  const { dir, task: filesOf } = runPaths(engine.repository.root, run);
  const { state, traces, requests } = await foldJournal(engine.tools.fs, dir, problem, journal);
  const { facts, waiting, gone, ended } = await endAttempts(engine, run, plan, { state, traces });
  const pool = poolOf(engine, run, plan);
  const sweep = await sweepWorktrees(pool, [], (owner) => goesOn(owner, run, gone));
  // What was told of earlier attempts is not part of a snapshot.
  const events = ended.length === 0 ? [] : await journal.read();
  const costs = await untoldCosts(engine.tools, { task: filesOf }, events, ended);
  facts.push(...costs.facts);
  const later = gone.map((attempt) => async () => {
    const saved = await saveLost(pool, sweep, (owner) => isOf(owner, run, attempt));
    return lost(attempt, await lostWork(engine, run, attempt, events, saved), clock.now());
  });
  const tokens = new Map<TaskId, number>();
  for (const [task, candidate] of waiting) {
    const { id } = task;
    const { attempt } = state.tasks.get(task.index);
    const fence = await leaseAgain(engine, run, plan, { ...task, access: accessOf(state, task) });
    tokens.set(id, fence);
    const cost = costs.totals.get(id);
    const passedOn = { ...candidate, fence, ...(cost === undefined ? {} : { cost }) };
    facts.push({ type: 'task:queued', task: id, attempt, candidate: passedOn, at: clock.now() });
  }
  return { state, facts, later, requests, tokens, pool };
}

interface Ended {
  readonly facts: Fact[];
  /** What lands without being made again. */
  readonly waiting: ReadonlyMap<Task, Candidate>;
  readonly gone: readonly LostAttempt[];
  /** All attempts that had begun and were not journalled as over. */
  readonly ended: readonly Pick<LostAttempt, 'task' | 'attempt'>[];
}

/** Ends the agents that still run, and tells whose work was done from whose was not. */
async function endAttempts(
  engine: Engine,
  run: RunId,
  plan: Plan,
  { state, traces }: Pick<Awaited<ReturnType<typeof foldJournal>>, 'state' | 'traces'>,
): Promise<Ended> {
  const { clock, trees } = engine.tools;
  const filesOf = runPaths(engine.repository.root, run).task;
  const facts: Fact[] = [];
  const waiting = new Map<Task, Candidate>();
  const gone: LostAttempt[] = [];
  const ended: Pick<LostAttempt, 'task' | 'attempt'>[] = [];
  for (const task of plan.tasks) {
    const now = state.tasks.get(task.index);
    if (now.name === 'queued' || now.name === 'merging') waiting.set(task, now.candidate);
    if (!isUnderWay(now)) continue;
    const { id } = task;
    const { attempt, token } = now;
    ended.push({ task: id, attempt });
    const { leader, folder } = traces.get(id) ?? { leader: null, folder: null };
    const output = filesOf(id).attempt(attempt).transcript;
    trees.signalTree({ leader, mark: { run, task: id }, folder, output }, 'SIGKILL');
    const candidate = await finishedWork(engine, plan, run, task, token);
    if (candidate === null) gone.push({ task: id, attempt, token });
    else {
      await dropCheckpoint(engine, run, id, attempt);
      facts.push({ type: 'task:queued', task: id, attempt, candidate, at: clock.now() });
      waiting.set(task, candidate);
    }
  }
  return { facts, waiting, gone, ended };
}

/** What the sweep, and now the save of its worktree, have made of a lost attempt. */
async function saveLost(
  pool: WorktreePool,
  { left, released }: Sweep,
  isIts: (owner: WorktreeOwner) => boolean,
): ReturnType<LeftToSave['save']> {
  const saved = (await left.find(({ owner }) => isIts(owner))?.save()) ?? {
    released: [],
    warm: [],
  };
  pool.keepWarm(saved.warm);
  return { ...saved, released: [...released, ...saved.released] };
}

/** Only the latest attempt's worktree holds what its task goes on from. */
function goesOn(owner: WorktreeOwner, run: RunId, gone: readonly LostAttempt[]): boolean {
  return gone.some((attempt) => isOf(owner, run, attempt));
}

function isOf(owner: WorktreeOwner, run: RunId, { task, token }: LostAttempt): boolean {
  return (
    owner.kind === 'agent' && owner.run === run && owner.task === task && owner.token === token
  );
}

function lost({ task, attempt }: LostAttempt, salvage: string | null, at: number): Fact {
  const failure = { kind: 'interrupted', message: 'the process that ran it was gone' } as const;
  return { type: 'attempt:failed', task, attempt, failure, salvage, at };
}

/** The old holder is dead, so its leases pass on at once; no slot is needed to land. */
async function leaseAgain(engine: Engine, run: RunId, plan: Plan, task: Task): Promise<number> {
  const { id, access, resources, priority } = task;
  const policy = plan.settings.conflictPolicy;
  const answer = await engine.leases.acquire(
    { run, task: id, access, resources, policy, priority, slots: [] },
    { timeoutMs: plan.settings.lockTimeoutMs * 2 },
  );
  if (answer.granted) return answer.lease.token;
  throw new Error(
    `The lease of ${id} is held by ${answer.holders.join(', ')}; end that process and resume again.`,
  );
}
