import type { Cost } from '../model/cost';
import { isCostKnown, sumOfCosts } from '../model/cost';
import type { Candidate, Fact } from '../model/event';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import type { AttemptStory } from '../report/attempt-story';
import type { StartingPoint } from './feedback';
import { wasInterrupted } from '../ports/git';
import { readCost } from './agent-cost';
import type { AttemptContext, AttemptScene, StartCommand } from './attempt-context';
import { agentInvocation, attemptEnvironment, writeAgentFiles } from './attempt-files';
import { healAttempt, healMerged } from './heal';
import type { Verdict } from './judge';
import { judgeWork } from './judge';
import type { EarlierWork } from './last-work';
import { chooseWork, restoreWork } from './last-work';
import { leasePorts } from './leased-ports';
import { runAgent } from './run-agent';
import { prepareWorktree } from './set-up-step';
import { settleConflict } from './settle-conflict';
import { StopOrder } from './stop-order';

/** Runs attempts: worktree, agent, checks, candidate. Reports through facts; never rejects. */
export interface AttemptRunner {
  start(command: StartCommand): Promise<void>;
  /** Ends a running attempt; `interrupt` gives it time to end by itself. */
  stop(task: TaskId, how: 'interrupt' | 'kill'): void;
  /** Freezes a running attempt where it is, its time included, until `continue` or a stop. */
  suspend(task: TaskId): void;
  continue(task: TaskId): void;
  /** Ends all of them at once. */
  killAll(): void;
}

/** What failed, together with where its work is kept. */
interface Failed {
  readonly failure: Failure;
  readonly salvage: string | null;
}

export function createAttemptRunner(context: AttemptContext): AttemptRunner {
  const orders = new Map<TaskId, StopOrder>();
  return {
    async start(command) {
      const order = new StopOrder();
      orders.set(command.task, order);
      try {
        await runAttempt(context, command, order);
      } finally {
        if (orders.get(command.task) === order) orders.delete(command.task);
      }
    },
    stop: (task, how) => orders.get(task)?.give(how),
    suspend: (task) => orders.get(task)?.suspend(),
    continue: (task) => orders.get(task)?.resume(),
    killAll: () => {
      for (const order of orders.values()) order.give('kill');
    },
  };
}

async function runAttempt(
  context: AttemptContext,
  command: StartCommand,
  order: StopOrder,
): Promise<void> {
  const { task: id, attempt } = command;
  const task = context.taskOf(id);
  const emit = (fact: Fact): Promise<void> => context.emit(fact);
  const at = (): number => context.clock.now();
  let failed: Failed;
  try {
    const result = await attemptInWorktree(context, task, command, order);
    if ('candidate' in result) {
      await emit({ type: 'task:queued', task: id, attempt, candidate: result.candidate, at: at() });
      return;
    }
    failed = result;
  } catch (error) {
    failed = { failure: thrown(error), salvage: null };
  }
  const failure: Failure =
    order.how === null
      ? failed.failure
      : { kind: 'interrupted', message: 'stopped before it ended' };
  await emit({
    type: 'attempt:failed',
    task: id,
    attempt,
    failure,
    salvage: failed.salvage,
    token: command.token,
    at: at(),
  });
}

type AttemptResult = Failed | { readonly candidate: Candidate };

async function attemptInWorktree(
  context: AttemptContext,
  task: Task,
  command: StartCommand,
  order: StopOrder,
): Promise<AttemptResult> {
  // The first attempt has nothing behind it, and telling the story means reading the journal.
  const stories = command.attempt === 1 ? [] : await context.history(task.id);
  const base = await context.integrationTip();
  const { attempt, slot, token } = command;
  const profile = context.profileOf(task);
  const work = await chooseWork(context, base, stories, profile.resume);
  const { start } = work;
  const way = await context.wayOf(task);
  const isHeld = async (held: number): Promise<boolean> =>
    (await context.leases.tokens()).has(held);
  const { path, branch } = await context.insist(() =>
    context.pool.create({ slot, task: task.id, commit: base, token, way, isHeld }),
  );
  await context.emit({
    type: 'task:started',
    task: task.id,
    attempt,
    slot,
    base,
    branch,
    worktree: path,
    profile: profile.name,
    ...(start.kind === 'resumed' ? { resumedFrom: start.commit } : {}),
    sandbox: await context.heldBy(profile),
    at: context.clock.now(),
  });
  const watched = { task: task.id, attempt, worktree: path, base };
  const checkpoints = context.checkpoints.watch(watched);
  const conflicts = context.conflictWatch.watch(watched);
  const known = storiesFor(start, stories);
  const scene = { task, profile, command, base, worktree: path, branch, stories: known, start };
  const verdict = await fillAndWork(context, scene, work, order);
  await Promise.all([checkpoints.end(), conflicts.end()]);
  const cost = await tellCost(context, { ...scene, stories });
  if ('candidate' in verdict) {
    await context.pool.remove(path, [], verdict.candidate);
    await checkpoints.drop();
    return { candidate: isCostKnown(cost) ? { ...verdict.candidate, cost } : verdict.candidate };
  }
  const release = await context.pool.remove(path);
  // Of a worktree that is gone, or could not be saved, there is its last checkpoint.
  const saved = release.kind === 'removed' ? release.saved : checkpoints.ref;
  return { failure: verdict.failure, salvage: verdict.kept ?? saved };
}

/** Reports what the agents of the attempt say it cost; resolves with what the task has cost up to now. */
async function tellCost(
  context: AttemptContext,
  { task, command: { attempt }, stories }: AttemptScene,
): Promise<Cost> {
  const { costFile } = context.paths.task(task.id).attempt(attempt);
  const cost = await readCost(context, costFile);
  const before = stories.map((story) => story.cost);
  if (cost === null) return sumOfCosts(before);
  await context.emit({ type: 'task:cost', task: task.id, attempt, cost, at: context.clock.now() });
  return sumOfCosts([...before, cost]);
}

/** A conflict is told as it came about, not the attempts since, in which its resolver was cut off. */
function storiesFor(
  start: StartingPoint,
  stories: readonly AttemptStory[],
): readonly AttemptStory[] {
  if (start.kind !== 'conflicted') return stories;
  return stories.slice(0, stories.findIndex(({ attempt }) => attempt === start.attempt) + 1);
}

/** Never rejects. */
async function fillAndWork(
  context: AttemptContext,
  scene: AttemptScene,
  work: EarlierWork,
  order: StopOrder,
): Promise<Verdict> {
  try {
    await restoreWork(context.git, scene.worktree, work);
  } catch (error) {
    // Half of it may be there: what is kept stays the whole.
    return { failure: thrown(error), kept: 'ref' in work.start ? work.start.ref : null };
  }
  try {
    return await workWithPorts(context, scene, order);
  } catch (error) {
    return { failure: thrown(error), kept: null };
  }
}

/** They are given back when nothing of the attempt runs any more. */
async function workWithPorts(
  context: AttemptContext,
  scene: AttemptScene,
  order: StopOrder,
): Promise<Verdict> {
  const leased = await leasePorts(context.tcpPorts, context.setup);
  if (leased.failure !== null) return { failure: leased.failure, kept: null };
  const { ports } = leased;
  try {
    return await workAndJudge(context, ports === null ? scene : { ...scene, ports }, order);
  } finally {
    ports?.release();
  }
}

async function workAndJudge(
  context: AttemptContext,
  given: AttemptScene,
  order: StopOrder,
): Promise<Verdict> {
  let scene = given;
  let files = await context.insist(() => writeAgentFiles(context, given));
  const env = attemptEnvironment(context, scene, files);
  const unready = await prepareWorktree(context, scene, env, order);
  if (unready !== null) return { failure: unready, kept: null };
  if (scene.start.kind === 'unmended') {
    const healed = await healMerged(context, scene, files, order);
    if ('candidate' in healed) return healed;
    scene = { ...scene, stories: healed.stories };
    files = await writeAgentFiles(context, scene);
  }
  if (scene.start.kind === 'conflicted') {
    const settled = await settleConflict(context, scene, files, order);
    if (!('stories' in settled)) return settled;
    scene = { ...scene, stories: settled.stories, start: { kind: 'fresh' } };
    files = await writeAgentFiles(context, scene);
  }
  const judged = scene;
  const failure = await runAgent(context, agentInvocation(context, scene, files, env), order);
  const isOver =
    failure === null &&
    scene.task.verify.length === 0 &&
    context.healer === null &&
    (await context.hasRoomForNext());
  const verdict =
    failure === null
      ? await context.insist(() => judgeWork(context, judged, files, order, isOver))
      : { failure, kept: null };
  return 'candidate' in verdict ? verdict : healAttempt(context, scene, files, verdict, order);
}

function thrown(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: wasInterrupted(error) ? 'interrupted' : 'agent-error', message };
}
