import type { Fact } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { isInSlot } from '../model/task-state';
import type { Journal } from '../ports/journal';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { accessOf } from '../schedule/run-state';
import { runPaths } from '../store/run-dir';
import { sweepWorktrees } from '../isolate/worktree-sweep';
import { poolOf } from './assemble';
import { knownDurations } from './learn-durations';
import type { Engine } from './engine';
import { foldJournal } from './snapshots';

/** Where a run stood, and what must be reported before it goes on. */
export interface Recovery {
  readonly state: RunState;
  readonly facts: readonly Fact[];
  /** What was asked while nobody drove the run; in the journal already. */
  readonly requests: readonly Fact[];
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
  const { clock } = engine.tools;
  const { expectedMs } = await knownDurations(engine.tools.fs, engine.repository.root, plan);
  const problem = prepareProblem(plan, expectedMs);
  const { dir, task: filesOf } = runPaths(engine.repository.root, run);
  const { state, traces, requests } = await foldJournal(engine.tools.fs, dir, problem, journal);
  const facts: Fact[] = [];
  for (const task of plan.tasks) {
    const now = state.tasks.get(task.index);
    if (!isInSlot(now)) continue;
    const { leader, folder } = traces.get(task.id) ?? { leader: null, folder: null };
    const output = filesOf(task.id).attempt(now.attempt).transcript;
    const mark = { run, task: task.id };
    engine.tools.trees.signalTree({ leader, mark, folder, output }, 'SIGKILL');
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
    const token = await leaseAgain(engine, run, plan, { ...task, access: accessOf(state, task) });
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
  return { state, facts, requests, tokens };
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
