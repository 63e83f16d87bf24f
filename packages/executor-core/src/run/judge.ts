import type { Candidate } from '../model/event';
import type { Failure } from '../model/failure';
import { runChecks } from '../verify/run-checks';
import { checkWriteSet } from '../verify/write-set-check';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { AgentFiles } from './attempt-files';
import { produceCandidate } from './candidate-step';
import { readTail } from './outcome';
import type { StopOrder } from './stop-order';
import { suspendable } from './suspension';

/** A candidate, or why the work is none; `kept`: the ref that keeps it. */
export type Verdict =
  { readonly failure: Failure; readonly kept: string | null } | { readonly candidate: Candidate };

/** Longer reasons for changing nothing are cut. */
const MOST_REASON = 500;
const MOST_NOOP_BYTES = 1024 * 1024;

/**
 * "Done" needs evidence: a change within the write set, or a declared no-op, and passing checks, made
 * under a lease that still holds. The result bundle is saved with the candidate. `leavesSlot`: nothing
 * runs in the worktree any more, so the next agent need not wait for the verdict.
 */
export async function judgeWork(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
  order: StopOrder,
  leavesSlot = false,
): Promise<Verdict> {
  const { task, command } = scene;
  await context.emit({
    type: 'task:verifying',
    task: task.id,
    attempt: command.attempt,
    ...(leavesSlot ? { leavesSlot } : {}),
    at: context.clock.now(),
  });
  if (leavesSlot) await context.startsFirst();
  const result = await produceCandidate(context, scene);
  if ('failure' in result) return { failure: result.failure, kept: null };
  const kept = result.candidate.noop ? null : result.candidate.ref;
  const noopReason = result.candidate.noop ? await declaredNoop(context, files) : null;
  const failure =
    (await withoutEvidence(context, scene, result.candidate, noopReason)) ??
    (await outsideWriteSet(context, scene, result.paths)) ??
    (await failedCheck(context, scene, task.verify, order)) ??
    (await lostLease(context, scene));
  if (failure !== null) return { failure, kept };
  const { resolved = [] } = scene;
  const candidate = {
    ...result.candidate,
    ...(noopReason === null ? {} : { noopReason }),
    ...(resolved.length === 0 ? {} : { resolved }),
  };
  await context.saveBundle(scene, candidate);
  return { candidate };
}

/**
 * The agent's own words for why there is nothing to change; `null` when it said none. What it wrote is
 * kept without secrets; no link is followed, and nothing big is read.
 */
async function declaredNoop(
  { fs, files: tree, redactor }: AttemptContext,
  { noopFile }: AgentFiles,
): Promise<string | null> {
  if ((await tree.kind(noopFile)) !== 'file') return null;
  if (((await fs.size(noopFile)) ?? 0) > MOST_NOOP_BYTES) return null;
  const reason = redactor.text(((await fs.readText(noopFile)) ?? '').trim());
  if (reason === '') return null;
  await fs.replace(noopFile, `${reason}\n`);
  return reason.slice(0, MOST_REASON);
}

async function withoutEvidence(
  { fs, paths }: AttemptContext,
  { task, command }: AttemptScene,
  { noop }: Candidate,
  noopReason: string | null,
): Promise<Failure | null> {
  if (!noop || task.noop === 'accept' || noopReason !== null) return null;
  const { transcript } = paths.task(task.id).attempt(command.attempt);
  return { kind: 'no-evidence', tail: await readTail(fs, transcript) };
}

/** The lease has what the plan gave and what was granted while the agent worked. */
async function outsideWriteSet(
  { leases }: AttemptContext,
  { task, command }: AttemptScene,
  paths: readonly string[],
): Promise<Failure | null> {
  const allowed = (await leases.writesOf(command.token)) ?? task.access.writes;
  const written = checkWriteSet(paths, { writes: allowed });
  return written.ok ? null : { kind: 'lock-violation', paths: written.outside, allowed };
}

/** Runs shell commands in the worktree until one fails. */
export function failedCheck(
  context: AttemptContext,
  { task, command, worktree, base, ports }: AttemptScene,
  commands: readonly string[],
  order: StopOrder,
): Promise<Failure | null> {
  return suspendable(context, order, (tools) =>
    runChecks({
      ...tools,
      fs: context.fs,
      commands,
      cwd: worktree,
      env: context.checkEnvironment(base, ports ?? null),
      logPath: context.paths.task(task.id).attempt(command.attempt).checkLog,
      timeoutMs: task.timeoutMs,
      signal: order.signal,
      graceMs: context.graceMs,
      where: 'worktree',
    }),
  );
}

async function lostLease(
  { leases }: AttemptContext,
  { command: { token } }: AttemptScene,
): Promise<Failure | null> {
  return (await leases.isCurrent(token)) ? null : { kind: 'lost-lease', token };
}
