import { join } from 'node:path';
import type { WorktreePool } from '../isolate/worktree-pool';
import { makeCandidate } from '../merge/candidate';
import { lookAtConflict } from '../merge/open-conflict';
import type { Candidate } from '../model/event';
import { describeFailure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { listText } from '../report/duration-text';
import { viewOf } from '../report/fold';
import type { TaskView } from '../report/run-view';
import { poolOf } from './assemble';
import type { ConflictOf, ConflictWorktree } from './conflict-worktree';
import { candidateText, openConflictWorktree, readConflictWorktree } from './conflict-worktree';
import type { Engine } from './engine';
import { withSecretsOf } from './engine';
import { NO_LEASE } from './lander-context';
import { withPinnedGit } from './pinned-git';
import type { ResumeResult, RunPlace } from './requests';
import { landResolution, noteResolution } from './requests';
import type { RunReader } from './run-reader';

/** `open`: show the conflict; `continue`: land what was made of it; `abort`: take the worktree away. */
export type ResolveStep = 'open' | 'continue' | 'abort';

export type ResolveResult =
  /** The conflict is open in `path`; `isNew: false`: it was so before. */
  | {
      readonly kind: 'open';
      readonly runId: RunId;
      readonly path: string;
      readonly isNew: boolean;
      /** Paths that were in conflict. */
      readonly paths: readonly string[];
      /** Of them, those that are not settled yet. */
      readonly left: readonly string[];
    }
  /** It waits to land; `next` says where. */
  | { readonly kind: 'resolved'; readonly candidate: Candidate; readonly next: ResumeResult }
  /** The worktree is gone; `saved`: the ref that keeps what was only there. */
  | { readonly kind: 'aborted'; readonly runId: RunId; readonly saved: string | null };

/** What is known of the task when it is asked for. */
interface Scene {
  readonly engine: Engine;
  readonly pool: WorktreePool;
  readonly reader: RunReader;
  readonly task: TaskId;
}

/**
 * Has a person settle the conflict of a task: see docs/merging.md. Works while the run goes on and after
 * it, and again after a crash at any point. Rejects with `UserError` when the task is not in conflict, or
 * its conflict is not settled yet: the message tells what is left.
 */
export async function resolveTask(
  place: RunPlace,
  reader: RunReader | null,
  name: string,
  step: ResolveStep,
): Promise<ResolveResult> {
  if (reader === null)
    throw new UserError('usage', 'There is no run here.', 'Start one with parallel-cli run.');
  const task = reader.plan.tasks.find(({ id }) => id === name)?.id;
  if (task === undefined) {
    const message = `The run has no task ${JSON.stringify(name)}.`;
    throw new UserError('usage', message, await waitingText(reader));
  }
  const { id, plan } = reader;
  const engine = await withPinnedGit(withSecretsOf(await place.engine(plan), plan), id);
  const pool = poolOf(engine, id, plan);
  const scene: Scene = { engine, pool, reader, task };
  // Two who ask at once get one worktree.
  const lock = join(engine.state.stateDir, `resolve-${task}`);
  try {
    return await engine.tools.mutex.with(lock, () => perform(place, scene, step));
  } finally {
    await pool.close();
    await engine.leases.close();
  }
}

async function perform(place: RunPlace, scene: Scene, step: ResolveStep): Promise<ResolveResult> {
  switch (step) {
    case 'open':
      return openIt(scene);
    case 'continue':
      return continueIt(place, scene);
    case 'abort':
      return abortIt(scene);
  }
}

async function openIt(scene: Scene): Promise<ResolveResult> {
  const { engine, pool, reader, task } = scene;
  const conflict = await conflictOf(scene);
  const found = await readConflictWorktree(engine, pool, task);
  const isNew = found?.candidate !== conflict.candidate.commit;
  const open = isNew ? await openConflictWorktree(engine, pool, conflict) : found;
  const { unmerged, marked } = await lookAtConflict(engine.tools, open.place.path, open.paths);
  const left = [...new Set([...unmerged, ...marked])].sort();
  const { path } = open.place;
  return { kind: 'open', runId: reader.id, path, isNew, paths: open.paths, left };
}

async function continueIt(place: RunPlace, scene: Scene): Promise<ResolveResult> {
  const { engine, pool, reader, task } = scene;
  const conflict = await conflictOf(scene);
  const open = await readConflictWorktree(engine, pool, task);
  if (open?.candidate !== conflict.candidate.commit) {
    const message = `The conflict of ${task} is not open anywhere.`;
    throw new UserError('usage', message, `Open it with parallel-cli resolve ${task}.`);
  }
  await requireSettled(scene, open);
  const candidate = await candidateFrom(scene, conflict, open);
  const { attempt } = conflict;
  await noteResolution(place, reader, { task, attempt, candidate });
  await pool.remove(open.place.path, [], { ref: candidate.ref, commit: candidate.commit });
  return { kind: 'resolved', candidate, next: await landResolution(place, reader) };
}

async function abortIt({ engine, pool, reader, task }: Scene): Promise<ResolveResult> {
  const open = await pool.personsWorktree(task);
  if (open === null) {
    const message = `The conflict of ${task} is not open anywhere.`;
    throw new UserError('usage', message, 'There is nothing to take away.');
  }
  const untouched = await isUntouched(engine, pool, task);
  const release = await pool.remove(open.path);
  if (release.kind === 'kept')
    throw new UserError(
      'environment',
      `What is in ${open.path} could not be saved: ${release.reason}.`,
      `It was moved to ${release.path}.`,
    );
  const saved = release.kind === 'removed' && !untouched ? release.saved : null;
  return { kind: 'aborted', runId: reader.id, saved };
}

/** `true` while every path is as it was opened: what is saved then is the conflict itself. */
async function isUntouched(engine: Engine, pool: WorktreePool, task: TaskId): Promise<boolean> {
  const open = await readConflictWorktree(engine, pool, task);
  if (open === null) return false;
  const { marked } = await lookAtConflict(engine.tools, open.place.path, open.paths);
  return marked.length > 0 && marked.length === open.paths.length;
}

async function requireSettled({ engine, task }: Scene, open: ConflictWorktree): Promise<void> {
  const { path } = open.place;
  const { unmerged, marked } = await lookAtConflict(engine.tools, path, open.paths);
  const fix = `When they are settled: parallel-cli resolve ${task} --continue`;
  if (marked.length > 0) {
    const message = `There are conflict markers left in ${path}: ${listText(marked)}.`;
    throw new UserError('usage', message, `Edit them and git add them. ${fix}`);
  }
  if (unmerged.length > 0) {
    const message = `Not said to be settled in ${path}: ${listText(unmerged)}.`;
    throw new UserError('usage', message, `Say so there with git add or git rm. ${fix}`);
  }
}

async function candidateFrom(
  { engine, reader, task }: Scene,
  conflict: ConflictOf,
  { place, paths }: ConflictWorktree,
): Promise<Candidate> {
  const { git, fs } = engine.tools;
  const made = await makeCandidate({
    git,
    fs,
    root: engine.repository.root,
    worktree: place.path,
    base: place.base,
    run: reader.id,
    task,
    fence: NO_LEASE,
    message: candidateText(engine, conflict),
  });
  if ('failure' in made) {
    const message = `What is in ${place.path} cannot land: ${describeFailure(made.failure)}.`;
    throw new UserError('usage', message, 'Mend that there, then say --continue again.');
  }
  const { cost, resolved: before = [] } = conflict.candidate;
  const by = paths.map((path) => ({ path, rung: 'person', reason: 'settled by hand' }) as const);
  const resolved = [...before.filter(({ path }) => !paths.includes(path)), ...by];
  return {
    ...made.candidate,
    ...(cost === undefined ? {} : { cost }),
    ...(resolved.length === 0 ? {} : { resolved }),
  };
}

/** The conflict the task waits with. */
async function conflictOf({ reader, task }: Scene): Promise<ConflictOf> {
  const { id: run, plan } = reader;
  const events = await reader.events();
  const seen = viewOf(plan, events).tasks.get(task);
  const nx = events.some((event) => event.type === 'run:started' && event.frontDoor === 'nx');
  if (nx) {
    const message = `${run} was started by Nx, which alone decides what runs.`;
    throw new UserError('usage', message, 'Run the same nx command again on what has landed.');
  }
  if (seen?.state === 'conflicted' && seen.candidate !== null)
    return { run, plan, task, attempt: seen.attempt, candidate: seen.candidate };
  const message = `${task} is not in conflict: ${seen?.state ?? 'pending'}.`;
  throw new UserError('usage', message, await waitingText(reader));
}

async function waitingText(reader: RunReader): Promise<string> {
  const tasks: readonly TaskView[] = [...viewOf(reader.plan, await reader.events()).tasks.values()];
  const names = tasks.filter(({ state }) => state === 'conflicted').map(({ id }) => id);
  return names.length === 0 ? 'No task is in conflict.' : `In conflict: ${listText(names)}.`;
}
