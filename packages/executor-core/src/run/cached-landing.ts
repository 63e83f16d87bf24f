import type { Candidate } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import type { Journal } from '../ports/journal';
import { taskKey } from '../plan/task-key';
import { candidateFromPatch } from '../merge/candidate-patch';
import { keepCommit, readRef } from '../merge/land';
import { landedCandidates } from '../merge/landed';
import type { Bundle } from '../store/result-bundle';
import { readBundle } from '../store/result-bundle';
import type { RunParts } from './run-parts';
import { assembleRun } from './assemble';
import { NO_LEASE } from './lander-context';
import type { Claim } from './claim';
import type { Engine } from './engine';
import { withSecretsOf } from './engine';
import { targetRef } from './integration';
import { withPinnedGit } from './pinned-git';
import { findTask, inSharedRun, only, requireRunId, verdictOf } from './shared-run';

export interface LandBundlesResult {
  readonly landed: readonly TaskId[];
  /** Landed before: nothing was done. */
  readonly already: readonly TaskId[];
  readonly failed: readonly { readonly task: TaskId; readonly reason: string }[];
}

interface Collected extends LandBundlesResult {
  readonly landed: TaskId[];
  readonly already: TaskId[];
  readonly failed: { readonly task: TaskId; readonly reason: string }[];
}

export interface LandBundlesRequest {
  readonly runId: string;
  readonly tasks: readonly string[];
  /** How many tasks Nx runs at once. */
  readonly parallel?: number | undefined;
}

/** Lands finished tasks from their result bundles, through the merge queue, without running an agent. */
export async function landBundles(
  engine: Engine,
  plan: Plan,
  { runId, tasks, parallel }: LandBundlesRequest,
): Promise<LandBundlesResult> {
  const run = requireRunId(runId);
  const ids = tasks.map((task) => findTask(plan, task).id);
  return inSharedRun(
    engine,
    { plan, run, tasks: [], parallel },
    async (parts, first, { journal, claim }) => {
      await parts.loop.emit(first);
      const pinned = await withPinnedGit(withSecretsOf(engine, plan), run);
      return landCached(pinned, plan, run, ids, { journal, claim });
    },
  );
}

async function landCached(
  engine: Engine,
  plan: Plan,
  run: RunId,
  ids: readonly TaskId[],
  { journal, claim }: { readonly journal: Journal; readonly claim: Claim },
): Promise<LandBundlesResult> {
  const result: Collected = { landed: [], already: [], failed: [] };
  // In the order given: their bundles lie there, so none of them waits for another.
  const tasks = ids
    .map((id) => ({ ...findTask(plan, id), dependsOn: [] }))
    .filter((task) => task.profile !== null);
  if (tasks.length === 0) return result;
  const parts = await assembleRun(engine, {
    run,
    plan: only(plan, tasks),
    wholePlan: plan,
    journal,
    claim,
    frontDoor: 'nx',
  });
  const queued: TaskId[] = [];
  const catchUp = once(() =>
    engine.tools.mutex.with(claim.mergeLock, () => parts.integration.catchUp()),
  );
  const before = await landedBefore(engine, plan, run, parts.integration.ref);
  for (const task of tasks) {
    const answer = await candidateOfBundle(engine, plan, run, task, parts, before);
    if (answer === 'landed') {
      result.already.push(task.id);
      await catchUp();
    } else if ('reason' in answer) result.failed.push({ task: task.id, reason: answer.reason });
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
  await parts.lander.publishRest();
  for (const task of queued) {
    const verdict = verdictOf(parts, task);
    if (verdict.success) result.landed.push(task);
    else result.failed.push({ task, reason: verdict.reason ?? 'it did not land' });
  }
  return result;
}

/** Calls `body` the first time only. */
function once(body: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= body());
}

/** Ids of the candidates that are on the integration branch or on the target. */
async function landedBefore(
  { tools, repository }: Engine,
  plan: Plan,
  run: RunId,
  integration: string,
): Promise<ReadonlySet<string>> {
  const { root, branch } = repository;
  const target = targetRef(plan.settings.land, branch, run);
  const found = new Set<string>();
  for (const ref of new Set([integration, target ?? integration])) {
    if ((await readRef(tools.git, root, ref)) === null) continue;
    for (const id of (await landedCandidates(tools.git, root, ref)).keys()) found.add(id);
  }
  return found;
}

type Found = 'landed' | { readonly reason: string } | { readonly candidate: Candidate };

async function candidateOfBundle(
  engine: Engine,
  plan: Plan,
  run: RunId,
  task: Task,
  parts: RunParts,
  before: ReadonlySet<string>,
): Promise<Found> {
  const { git, fs } = engine.tools;
  const { root } = engine.repository;
  const { bundle, reason } = await readBundle(fs, engine.state.outDir, task.id);
  if (bundle === null) return { reason };
  if (bundle.key !== taskKey(plan, task)) {
    return { reason: 'its result bundle belongs to another version of the plan' };
  }
  if (bundle.noop || (bundle.commit !== undefined && before.has(bundle.commit))) return 'landed';
  const original = await originalCandidate(engine, run, bundle);
  if (original !== null) return { candidate: original };
  const { message, patch } = bundle;
  const onto = await parts.integration.tip();
  const label = { run, task: task.id, fence: NO_LEASE, message };
  const made = await candidateFromPatch({ git, fs, root, onto, patch, ...label });
  if ('candidate' in made) return { candidate: made.candidate };
  return { reason: describeFailure(made.failure) };
}

/** The commit the bundle was made of, where this repository still has it: it lands under its own id. */
async function originalCandidate(
  { tools, repository }: Engine,
  run: RunId,
  { task, base, commit, tree, noop, files, fileCount }: Bundle,
): Promise<Candidate | null> {
  if (commit === undefined || tree === undefined) return null;
  const { git } = tools;
  const { root } = repository;
  const found = await git.run(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], {
    cwd: root,
  });
  if (found.exitCode !== 0 || found.stdout.trim() !== tree) return null;
  const ref = await keepCommit(git, root, { run, task, fence: NO_LEASE, commit });
  return { commit, tree, base, ref, fence: NO_LEASE, noop, files, fileCount };
}
