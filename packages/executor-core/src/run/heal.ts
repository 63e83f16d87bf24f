import type { CandidateResult } from '../merge/candidate';
import { NO_COST } from '../model/cost';
import type { Candidate } from '../model/event';
import type { Failure } from '../model/failure';
import { CURES, describeFailure, failureClass } from '../model/failure';
import type { AgentProfile } from '../model/task';
import { checkWriteSet } from '../verify/write-set-check';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { AgentFiles } from './attempt-files';
import { healerInvocation } from './attempt-files';
import { produceCandidate } from './candidate-step';
import type { Verdict } from './judge';
import { failedCheck, judgeWork } from './judge';
import { resetWork } from './last-work';
import type { HelperSaid as Said } from './run-helper';
import { failedHelper, runHelper } from './run-helper';
import type { StopOrder } from './stop-order';

/** The failures a check of ours has found: the mended work can be checked again without the agent. */
const FOUND_BY_US: ReadonlySet<Failure['kind']> = new Set([
  'verify-failed',
  'lock-violation',
  'no-evidence',
]);

type Made = Extract<CandidateResult, { readonly candidate: Candidate }>;

const LEFT_THERE = { kind: 'failed' } as const;

/** A failed attempt, and the ref that keeps its work where one does. */
type Failed = Extract<Verdict, { readonly failure: Failure }>;

/**
 * Lets the plan's healer mend the worktree of a failed attempt, under the same leases, where its class
 * can be healed and a retry is left. The work as the agent left it is kept first, so a healer makes
 * nothing worse. What it mended is judged at once where a check of ours had failed: green work is a
 * candidate, without another run of the agent. Otherwise the retry starts from what is `kept`.
 */
export async function healAttempt(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
  failed: Failed,
  order: StopOrder,
): Promise<Verdict> {
  const { healer } = context;
  const { task, command } = scene;
  const { failure } = failed;
  if (healer === null || !CURES[failureClass(failure)].heal || order.how !== null) return failed;
  const { attempt } = command;
  if (!context.mayRetry(task.id, failure)) return failed;
  const before = await produceCandidate(context, scene);
  // What cannot be kept must not be touched.
  if ('failure' in before) return failed;
  const kept = before.candidate.noop ? null : before.candidate.ref;
  const { base } = scene;
  const story = { attempt, failure, base, salvage: kept, healing: null, cost: NO_COST };
  const told = { ...scene, stories: [...scene.stories, story], start: LEFT_THERE };
  const { mended } = await heal(context, told, healer, before, order);
  if (mended === null) return { failure, kept };
  if (FOUND_BY_US.has(failure.kind)) return judgeWork(context, scene, files, order);
  return { failure, kept: mended.noop ? null : mended.ref };
}

/**
 * The same at the start of an attempt whose worktree holds work that was red on the merged tree: its
 * failure was found when its worktree was gone. Mended work that passes the check that had failed, and
 * the task's own, is a candidate without a run of the agent. Otherwise resolves with the stories for the
 * agent, the healer's words among them; what a failed healer did is undone.
 */
export async function healMerged(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
  order: StopOrder,
): Promise<Extract<Verdict, { candidate: Candidate }> | { stories: AttemptScene['stories'] }> {
  const { healer } = context;
  const { stories, start } = scene;
  const last = stories.at(-1);
  if (start.kind !== 'unmended' || last === undefined || healer === null) return { stories };
  const before = await produceCandidate(context, scene);
  if ('failure' in before) return { stories };
  const { mended, outcome, note } = await heal(context, scene, healer, before, order);
  const commands = last.failure.kind === 'verify-failed' ? [last.failure.command] : [];
  if (mended !== null && (await failedCheck(context, scene, commands, order)) === null) {
    const verdict = await judgeWork(context, scene, files, order);
    if ('candidate' in verdict) return verdict;
  }
  if (outcome === 'failed') await resetWork(context.git, scene, before.candidate.tree);
  const healing = { healer: healer.name, outcome, note };
  return { stories: [...stories.slice(0, -1), { ...last, healing }] };
}

/** Runs the healer on the last failure of `scene.stories`; `mended`: what it made, where that counts. */
async function heal(
  context: AttemptContext,
  scene: AttemptScene,
  healer: AgentProfile,
  before: Made,
  order: StopOrder,
): Promise<Said & { readonly mended: Candidate | null }> {
  const at = (): number => context.clock.now();
  const about = { task: scene.task.id, attempt: scene.command.attempt };
  const said = await context.healing(async () => {
    await context.emit({ type: 'task:healing', ...about, healer: healer.name, at: at() });
    return runHelper(context, () => healerInvocation(context, scene, healer), order);
  });
  const seen =
    said.outcome === 'failed'
      ? { ...said, mended: null }
      : await lookAt(context, scene, before, said);
  const { outcome, note } = seen;
  await context.emit({ type: 'task:healed', ...about, outcome, note, at: at() });
  return seen;
}

/** What a healer said it had done, and what it has: only a change that may be its task's counts. */
async function lookAt(
  context: AttemptContext,
  scene: AttemptScene,
  before: Made,
  { note }: Said,
): Promise<Said & { readonly mended: Candidate | null }> {
  const after = await produceCandidate(context, scene);
  if ('failure' in after) {
    return { ...failedHelper(note, describeFailure(after.failure)), mended: null };
  }
  if (after.candidate.tree === before.candidate.tree) {
    return { outcome: 'diagnosed', note, mended: null };
  }
  const { access } = scene.task;
  const strayed = checkWriteSet(after.paths, access);
  if (!strayed.ok && checkWriteSet(before.paths, access).ok) {
    const outside = `it wrote outside the write set: ${strayed.outside.slice(0, 3).join(', ')}`;
    return { ...failedHelper(note, outside), mended: null };
  }
  return { outcome: 'fixed', note, mended: after.candidate };
}
