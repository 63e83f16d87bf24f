import type { Fact } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Plan } from '../model/task';
import { isInSlot } from '../model/task-state';
import type { Journal } from '../ports/journal';
import { evolve } from '../schedule/evolve';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { initialState } from '../schedule/run-state';
import { sweepWorktrees } from '../isolate/worktree-sweep';
import { poolOf } from './assemble';
import { knownDurations } from './learn-durations';
import type { Engine } from './engine';

/** Where a run stood, and what must be reported before it goes on. */
export interface Recovery {
  readonly state: RunState;
  readonly facts: readonly Fact[];
  /** Leases taken anew for candidates that wait to land. */
  readonly tokens: ReadonlyMap<TaskId, number>;
}

/**
 * Folds the journal of a run whose process is gone and puts right what it left: agents that still
 * run are ended, worktrees are saved under refs and cleared, finished candidates get a fresh lease,
 * so that they land without being made again. The caller holds the workspace.
 */
export async function recoverRun(
  engine: Engine,
  run: RunId,
  plan: Plan,
  journal: Journal,
): Promise<Recovery> {
  const { clock, processes } = engine.tools;
  const events = await journal.read();
  const { expectedMs } = await knownDurations(engine.tools.fs, engine.repository.root, plan);
  const state = events.reduce(evolve, initialState(prepareProblem(plan, expectedMs)));
  const spawned = new Map<TaskId, ProcessIdentity>();
  for (const event of events)
    if (event.type === 'process:started') spawned.set(event.task, event.process);
  const facts: Fact[] = [];
  for (const task of plan.tasks) {
    const now = state.tasks.get(task.index);
    if (!isInSlot(now)) continue;
    const leftover = spawned.get(task.id);
    if (leftover !== undefined) processes.signalGroup(leftover, 'SIGKILL');
    facts.push({
      type: 'attempt:failed',
      task: task.id,
      attempt: now.attempt,
      failure: { kind: 'interrupted', message: 'the process that ran it was gone' },
      salvage: null,
      at: clock.now(),
    });
  }
  await sweepWorktrees(poolOf(engine, run, plan));
  const tokens = new Map<TaskId, number>();
  for (const task of plan.tasks) {
    const now = state.tasks.get(task.index);
    if (now.name !== 'queued' && now.name !== 'merging') continue;
    const token = await leaseAgain(engine, run, plan, task.id);
    tokens.set(task.id, token);
    const candidate = { ...now.candidate, fence: token };
    facts.push({
      type: 'task:queued',
      task: task.id,
      attempt: now.attempt,
      candidate,
      at: clock.now(),
    });
  }
  return { state, facts, tokens };
}

/** The old holder is dead, so its leases pass on at once; no slot is needed to land. */
async function leaseAgain(engine: Engine, run: RunId, plan: Plan, id: TaskId): Promise<number> {
  const task = plan.tasks.find((other) => other.id === id);
  if (task === undefined) throw new Error(`Internal error: no task ${id} in the plan.`);
  const { access, resources, priority } = task;
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
