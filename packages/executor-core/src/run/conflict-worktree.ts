import { join } from 'node:path';
import type { PersonsWorktree } from '../isolate/persons-worktree';
import type { WorktreePool } from '../isolate/worktree-pool';
import { readRef } from '../merge/land';
import { isAncestor } from '../merge/landed';
import { openConflict } from '../merge/open-conflict';
import { commitMessage } from '../merge/trailers';
import type { Candidate } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import { integrationRef } from '../model/landing';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Git } from '../ports/git';
import type { Engine } from './engine';
import { landingStyle } from './style-of-plan';

/** A task in conflict, and the candidate it is about. */
export interface ConflictOf {
  readonly run: RunId;
  readonly plan: Plan;
  readonly task: TaskId;
  readonly attempt: number;
  readonly candidate: Candidate;
}

/** The worktree of a conflict that is being settled. */
export interface ConflictWorktree {
  readonly place: PersonsWorktree;
  /** The candidate it was opened for. */
  readonly candidate: string;
  /** Paths that were in conflict, sorted; none where the candidate merges cleanly by now. */
  readonly paths: readonly string[];
}

/** In git's folder of the worktree, written when all else is done: what was opened there. */
const NOTE = 'parallel-conflict';

/** What is open for a task, in whatever process it was opened; `null` when nothing is. */
export async function readConflictWorktree(
  { tools }: Engine,
  pool: WorktreePool,
  task: TaskId,
): Promise<ConflictWorktree | null> {
  const place = await pool.personsWorktree(task);
  if (place === null) return null;
  const [candidate, ...paths] = (
    (await tools.fs.readText(join(place.gitDir, NOTE)).catch(() => null)) ?? ''
  ).split('\0');
  return candidate === undefined || candidate === '' ? null : { place, candidate, paths };
}

/**
 * Opens the conflict of a candidate in a worktree of its own, at what has landed by now. Anything else
 * that is left there is saved and taken away before.
 */
export async function openConflictWorktree(
  engine: Engine,
  pool: WorktreePool,
  conflict: ConflictOf,
): Promise<ConflictWorktree> {
  const { run, plan, task, candidate } = conflict;
  const { git, fs } = engine.tools;
  const { root } = engine.repository;
  const onto = await readRef(git, root, integrationRef(run));
  if (onto === null || (await readRef(git, root, candidate.ref)) === null) {
    const missing = onto === null ? integrationRef(run) : candidate.ref;
    const fix = `Have the task done anew: parallel-cli retry ${task}`;
    throw new UserError('usage', `What ${task} is merged from is gone: ${missing}.`, fix);
  }
  const { merge } = landingStyle(engine, run, plan.settings);
  const base = await baseToName(git, root, candidate.base, onto);
  const merged = await merge(git, root, onto, candidate.commit, base);
  const place = await pool.forPerson(task, onto);
  const { path: worktree, gitDir } = place;
  const message = candidateText(engine, conflict);
  const theirs = candidate.commit;
  await openConflict({ git, fs, worktree, gitDir, merge: merged, theirs, message });
  const paths = merged.kind === 'conflict' ? merged.paths : [];
  await fs.replace(join(gitDir, NOTE), [theirs, ...paths].join('\0'));
  return { place, candidate: theirs, paths };
}

/**
 * The base to name for merging a candidate onto a commit: `undefined` where git finds it. With one that
 * the commit lacks, git's own merge base would bring back what somebody removed.
 */
export async function baseToName(
  git: Git,
  root: string,
  base: string,
  onto: string,
): Promise<string | undefined> {
  return (await isAncestor(git, root, base, onto)) ? undefined : base;
}

/** Message of the commit a resolution is kept as. */
export function candidateText(
  { redactor }: Engine,
  { run, plan, task, attempt }: Omit<ConflictOf, 'candidate'>,
): string {
  const entry = plan.tasks.find(({ id }) => id === task);
  const prompt = entry?.prompt == null ? null : redactor.text(entry.prompt);
  return commitMessage({ run, task, agent: entry?.profile ?? null, attempt, prompt });
}
