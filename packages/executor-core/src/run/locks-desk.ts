import { createLeaseStore, LeaseLost, type LeaseStore } from '../locks/lease-store';
import { viewLocks, type LocksView } from '../locks/locks-view';
import type { RunId, TaskId } from '../model/ids';
import { parseRunId, parseTaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { globProblem } from '../plan/glob-problem';
import { statePaths } from '../store/run-dir';
import { appendFact } from './engine';
import { openRunReader } from './run-reader';
import type { Toolbox } from './toolbox';

/** What an agent's request for more write room came to. */
export interface WriteRoom {
  readonly granted: boolean;
  readonly task: TaskId;
  /** Who holds what stands in the way, for people; empty when it was granted. */
  readonly holders: readonly string[];
}

/** The lock table of a checkout as it lies on disk. Takes no lock and writes nothing. */
export async function readLocks(tools: Toolbox, root: string): Promise<LocksView> {
  const { locksDir } = statePaths(root);
  const table = await createLeaseStore({ ...tools, locksDir }).list();
  return viewLocks(table, (owner) => tools.processes.isAlive(owner));
}

/**
 * Asks for more write room for the task named in the environment. Granted if nobody else holds it,
 * without waiting; the run is told. Rejects with `UserError` outside an agent, for bad globs, and when
 * the task's lease has been taken over.
 */
export async function requestWrites(
  tools: Toolbox,
  root: string,
  globs: readonly string[],
): Promise<WriteRoom> {
  const { run, task } = agentOf(tools);
  const reader = await openRunReader(tools, root, run);
  if (reader === null) {
    throw new UserError('environment', `There is no run ${run} in ${root}.`, null);
  }
  const { worktreeBase, lockTimeoutMs } = reader.plan.settings;
  for (const glob of globs) assertGlob(glob, worktreeBase);
  const { locksDir } = statePaths(root);
  const store = createLeaseStore({ ...tools, locksDir, ttlMs: lockTimeoutMs });
  try {
    const answer = await widenTask(store, run, task, globs);
    if (!answer.granted) return { granted: false, task, holders: answer.holders };
    const at = tools.clock.now();
    await appendFact(tools, root, run, { type: 'task:widened', task, writes: globs, at });
    return { granted: true, task, holders: [] };
  } finally {
    await store.close();
  }
}

async function widenTask(
  store: LeaseStore,
  run: RunId,
  task: TaskId,
  globs: readonly string[],
): ReturnType<LeaseStore['widen']> {
  const token = await store.tokenOf(run, task);
  if (token === null) throw lost(task);
  try {
    return await store.widen(token, globs);
  } catch (error) {
    throw error instanceof LeaseLost ? lost(task) : error;
  }
}

function lost(task: TaskId): UserError {
  return new UserError(
    'environment',
    `${task} holds no lease: it was taken over, or the task is over.`,
    'End this attempt; what it wrote is kept, and the task is tried again.',
  );
}

function agentOf({ env }: Toolbox): { readonly run: RunId; readonly task: TaskId } {
  const run = env['PARALLEL_RUN_ID'];
  const task = env['PARALLEL_TASK_ID'];
  if (run !== undefined && task !== undefined) {
    return { run: parseRunId(run), task: parseTaskId(task) };
  }
  throw new UserError(
    'usage',
    'Write room is asked for by agents: PARALLEL_RUN_ID and PARALLEL_TASK_ID are not set.',
    'Outside an agent, give the task more "writes" in the plan; "parallel-cli locks" shows who holds what.',
  );
}

function assertGlob(glob: string, worktreeBase: string): void {
  if (glob.startsWith('!')) {
    throw new UserError(
      'usage',
      `${JSON.stringify(glob)} excludes, and gives no room to write.`,
      'Name what is to be written, for example: parallel-cli locks request "src/api/**"',
    );
  }
  const problem = globProblem(glob, worktreeBase);
  if (problem === null) return;
  throw new UserError('usage', `${JSON.stringify(glob)} ${problem.problem}.`, problem.fix);
}
