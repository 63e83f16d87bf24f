import type { Candidate, ControlRequest, Fact, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Plan, Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import type { Journal } from '../ports/journal';
import type { ProcessTree } from '../ports/processes';
import { evolve } from '../schedule/evolve';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { accessOf, initialState } from '../schedule/run-state';
import { runPaths } from '../store/run-dir';
import { sweepWorktrees } from '../isolate/worktree-sweep';
import { poolOf } from './assemble';
import { finishedWork } from './finished-work';
import { knownDurations } from './learn-durations';
import type { LostAttempt } from './lost-work';
import { dropCheckpoint, lostWork } from './lost-work';
import type { Engine } from './engine';

/** Where a run stood, and what must be reported before it goes on. */
export interface Recovery {
  readonly state: RunState;
  readonly facts: readonly Fact[];
  /** What was asked while nobody drove the run; in the journal already. */
  readonly requests: readonly Fact[];
  /** Leases taken anew for candidates that wait to land. */
  readonly tokens: ReadonlyMap<TaskId, number>;
}

/** Written by agents and waiters, whether or not somebody drives the run. */
const FROM_ELSEWHERE: ReadonlySet<RunEvent['type']> = new Set([
  'task:progress',
  'barrier:waiting',
  'barrier:left',
]);
const WORTH_KEEPING: ReadonlySet<ControlRequest['kind']> = new Set(['agents', 'retry', 'kill']);

/**
 * Folds the journal of a run whose process is gone and puts right what it left: agents that still
 * run are ended, worktrees are saved under refs and cleared, finished candidates, also those that were not
 * journalled yet, get a fresh lease, so that they land without being made again. The caller holds the workspace.
 */
export async function recoverRun(
  engine: Engine,
  run: RunId,
  plan: Plan,
  journal: Journal,
): Promise<Recovery> {
  const { clock } = engine.tools;
  const events = await journal.read();
  const { expectedMs } = await knownDurations(engine.tools.fs, engine.repository.root, plan);
  const state = events.reduce(evolve, initialState(prepareProblem(plan, expectedMs)));
  const facts: Fact[] = [];
  const waiting = new Map<Task, Candidate>();
  const gone: LostAttempt[] = [];
  for (const task of plan.tasks) {
    const now = state.tasks.get(task.index);
    if (now.name === 'queued' || now.name === 'merging') waiting.set(task, now.candidate);
    if (!isInSlot(now) || !('token' in now)) continue;
    const { id } = task;
    const { attempt, token } = now;
    engine.tools.trees.signalTree(treeOf(engine, run, id, attempt, events), 'SIGKILL');
    const candidate = await finishedWork(engine, plan, run, task, token);
    if (candidate === null) gone.push({ task: id, attempt, token });
    else {
      await dropCheckpoint(engine, run, id, attempt);
      facts.push({ type: 'task:queued', task: id, attempt, candidate, at: clock.now() });
      waiting.set(task, candidate);
    }
  }
  const { released } = await sweepWorktrees(poolOf(engine, run, plan));
  for (const attempt of gone) {
    const salvage = await lostWork(engine, run, attempt, events, released);
    facts.push(lost(attempt, salvage, clock.now()));
  }
  const tokens = new Map<TaskId, number>();
  for (const [task, candidate] of waiting) {
    const { id } = task;
    const { attempt } = state.tasks.get(task.index);
    const fence = await leaseAgain(engine, run, plan, { ...task, access: accessOf(state, task) });
    tokens.set(id, fence);
    const passedOn = { ...candidate, fence };
    facts.push({ type: 'task:queued', task: id, attempt, candidate: passedOn, at: clock.now() });
  }
  return { state, facts, requests: requestsInWaiting(events), tokens };
}

function lost({ task, attempt }: LostAttempt, salvage: string | null, at: number): Fact {
  const failure = { kind: 'interrupted', message: 'the process that ran it was gone' } as const;
  return { type: 'attempt:failed', task, attempt, failure, salvage, at };
}

/** Requests at the end of the journal, which no driver can have acted on; pauses died with theirs. */
function requestsInWaiting(events: readonly RunEvent[]): readonly Fact[] {
  const found: Fact[] = [];
  for (const event of [...events].reverse()) {
    if (FROM_ELSEWHERE.has(event.type)) continue;
    if (event.type !== 'control:requested') break;
    if (WORTH_KEEPING.has(event.request.kind)) found.unshift(event);
  }
  return found;
}

/** What an attempt may have left running, also frozen, by all the journal knows of it. */
function treeOf(
  engine: Engine,
  run: RunId,
  task: TaskId,
  attempt: number,
  events: readonly RunEvent[],
): ProcessTree {
  let leader: ProcessIdentity | null = null;
  let folder: string | null = null;
  for (const event of events) {
    if (event.type === 'process:started' && event.task === task) leader = event.process;
    if (event.type === 'task:started' && event.task === task) {
      leader = null;
      folder = event.worktree;
    }
  }
  const output = runPaths(engine.repository.root, run).task(task).attempt(attempt).transcript;
  return { leader, mark: { run, task }, folder, output };
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
