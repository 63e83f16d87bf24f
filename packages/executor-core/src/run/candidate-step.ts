import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import limitConcurrency from 'p-limit';
import type { CandidateResult } from '../merge/candidate';
import { makeCandidate } from '../merge/candidate';
import { commitMessage } from '../merge/trailers';
import type { RunId } from '../model/ids';
import type { Redactor } from '../model/redactor';
import type { Plan, WorktreeSetup } from '../model/task';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { Waiting } from './lander';

/**
 * When many agents end at once, each gets its turn: to work on all of them together would end none of
 * them before the last, and the slot of each is waited for.
 */
const producing = limitConcurrency(availableParallelism());

/** Turns what the agent left in its worktree into one commit under a ref. */
export async function produceCandidate(
  context: AttemptContext,
  scene: AttemptScene,
): Promise<CandidateResult> {
  const { task, command } = scene;
  const { git, fs, files, root, run } = context;
  const usedNx = (await files.kind(join(scene.worktree, '.nx'))) === 'folder';
  const request = {
    git,
    fs,
    root,
    worktree: scene.worktree,
    base: scene.base,
    branch: `refs/heads/${scene.branch}`,
    exclude: [...broughtBy(context.setup), ...(usedNx ? NX_OWN : [])],
    freshIndex: context.pool.freshIndex(scene.worktree),
    run,
    task: task.id,
    fence: command.token,
    message: candidateMessage(run, scene, context.redactor),
  };
  return producing(() => makeCandidate(request));
}

/** What Nx keeps for itself in a worktree; not every repository ignores it. */
const NX_OWN = ['.nx/cache', '.nx/workspace-data'];

function broughtBy({ copy, hardlink = [], link }: WorktreeSetup): readonly string[] {
  return [...copy, ...hardlink, ...link];
}

/** Message of the commit a candidate is; its bundle carries it. Nothing secret is in it, nor cut in two. */
export function candidateMessage(
  run: RunId,
  { task, profile, command }: AttemptScene,
  redactor: Redactor,
): string {
  const prompt = task.prompt === null ? null : redactor.text(task.prompt);
  const { attempt } = command;
  return commitMessage({ run, task: task.id, agent: profile.name, attempt, prompt });
}

/** Message of the commit by which a candidate lands; the same holds. */
export function landingMessage(
  plan: Plan,
  run: RunId,
  { task, attempt, candidate }: Waiting,
  redactor: Redactor,
): string {
  const entry = plan.tasks.find(({ id }) => id === task);
  return commitMessage({
    run,
    task,
    agent: entry?.profile ?? null,
    attempt,
    prompt: entry?.prompt == null ? null : redactor.text(entry.prompt),
    candidate: candidate.commit,
    cost: candidate.cost ?? null,
  });
}
