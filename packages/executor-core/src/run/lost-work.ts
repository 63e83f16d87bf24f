import type { LeftToSave } from '../isolate/worktree-sweep';
import type { EventOf, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import { checkpointRef } from './checkpoints';
import type { Engine } from './engine';

/** An attempt whose process died. */
export interface LostAttempt {
  readonly task: TaskId;
  /** 1-based. */
  readonly attempt: number;
  /** Fence of the lease it held. */
  readonly token: number;
}

/**
 * The ref that keeps what a lost attempt had written; `null` when it had written nothing. In this order:
 * what the sweep has just saved of its worktree; the newest of what was kept before, by itself, by
 * a recovery that died too, or as a checkpoint. Of a worktree that was being filled with the work of an
 * earlier attempt, that work is the whole.
 */
export async function lostWork(
  engine: Engine,
  run: RunId,
  lost: LostAttempt,
  events: readonly RunEvent[],
  { released, warm }: Awaited<ReturnType<LeftToSave['save']>>,
): Promise<string | null> {
  const started = startOf(events, lost);
  // Nobody has worked in a worktree the journal does not know of.
  if (started === null) return null;
  const told = salvagesOf(events, lost.task);
  if (started.resumedFrom !== undefined && !hasProcess(events, lost)) return told.at(-1) ?? null;
  const isIts = ({ path }: { readonly path: string }): boolean => path === started.worktree;
  const release = released.find(isIts)?.release;
  const swept = warm.find(isIts) ?? (release?.kind === 'removed' ? release : null);
  if (swept !== null && swept.saved !== null) return swept.saved;
  const kept = await keptRefs(engine, `refs/parallel/${run}/${lost.task}/`);
  const own = kept.filter((ref) => {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    if (name.startsWith('salvage-')) return !told.includes(ref);
    if (name.startsWith('wip-')) return swept === null && ref === wipOf(run, lost);
    return name === String(lost.token) || name.startsWith(`${lost.token}-`);
  });
  return own[0] ?? null;
}

/** Drops the checkpoint of an attempt all of whose work is kept as its candidate. */
export async function dropCheckpoint(
  { tools, repository }: Pick<Engine, 'tools' | 'repository'>,
  run: RunId,
  task: TaskId,
  attempt: number,
): Promise<void> {
  const objects = tools.git.objects(repository.root);
  const ref = checkpointRef(run, task, attempt);
  const commit = await objects.resolve(ref);
  if (commit !== null) await objects.moveRefs([`delete ${ref} ${commit}`]);
}

function wipOf(run: RunId, { task, attempt }: LostAttempt): string {
  return checkpointRef(run, task, attempt);
}

function startOf(
  events: readonly RunEvent[],
  { task, attempt }: LostAttempt,
): EventOf<'task:started'> | null {
  return (
    events.findLast(
      (event): event is EventOf<'task:started'> =>
        event.type === 'task:started' && event.task === task && event.attempt === attempt,
    ) ?? null
  );
}

function hasProcess(events: readonly RunEvent[], { task, attempt }: LostAttempt): boolean {
  return events.some(
    (event) => event.type === 'process:started' && event.task === task && event.attempt === attempt,
  );
}

/** What earlier attempts of the task left, oldest first. */
function salvagesOf(events: readonly RunEvent[], task: TaskId): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'attempt:failed' && event.task === task && event.salvage !== null
      ? [event.salvage]
      : [],
  );
}

/** Refs in the folder, the newest first; the later version of two from the same second. */
async function keptRefs({ tools, repository }: Engine, folder: string): Promise<readonly string[]> {
  const sort = ['--sort=-version:refname', '--sort=-committerdate'];
  const args = ['for-each-ref', ...sort, '--format=%(refname)', folder];
  const listed = await tools.git.text(args, { cwd: repository.root });
  return listed.split('\n').filter((ref) => ref !== '');
}
