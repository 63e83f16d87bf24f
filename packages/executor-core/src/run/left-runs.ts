import { join } from 'node:path';
import type { RunId } from '../model/ids';
import { isRunId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { LeftRun, QuarantinedTask, RunStanding } from '../report/clean-plan';
import { viewOf } from '../report/fold';
import { problemOf } from '../report/run-result';
import type { RunView, TaskView } from '../report/run-view';
import { listSegments } from '../store/read-journal';
import { newestFirst, readCurrentRun, runPaths, statePaths } from '../store/run-dir';
import type { RunReader } from './run-reader';
import { openRunReader } from './run-reader';
import type { Toolbox } from './toolbox';

/** A run folder, read. */
export interface RunRecord extends LeftRun {
  readonly folder: string;
  readonly bytes: number;
  /** When something last happened, epoch ms. */
  readonly changedAt: number | null;
  /** Its folder of worktrees, as its plan names it; `null` when that cannot be read. */
  readonly worktreeBase: string | null;
  /** Short names of the branches its attempts had. */
  readonly branches: readonly string[];
  /** Commit it started from, and full name of the branch it landed on. */
  readonly base: string | null;
  readonly target: string | null;
  /** Attempts that nobody saw end. */
  readonly open: readonly { readonly task: TaskView; readonly transcript: string }[];
}

type Tools = Pick<Toolbox, 'fs' | 'files' | 'clock' | 'processes'>;
/** What a folder says without its journal. */
type Bare = Pick<RunRecord, 'id' | 'current' | 'folder' | 'bytes' | 'checkout'>;

/** Every run folder of the checkout, newest first, also those that are damaged. Writes nothing. */
export async function readRunRecords(tools: Tools, root: string): Promise<readonly RunRecord[]> {
  const names = (await tools.fs.list(statePaths(root).runsDir)).filter(isRunId);
  const current = await readCurrentRun(tools.fs, root);
  const records: RunRecord[] = [];
  for (const id of names.sort(newestFirst)) {
    const folder = runPaths(root, id).dir;
    const bytes = await sizeOf(tools, folder);
    const bare = { id, current: id === (current ?? names[0]), folder, bytes, checkout: null };
    records.push(await readRecord(tools, root, bare));
  }
  return records;
}

async function readRecord(tools: Tools, root: string, bare: Bare): Promise<RunRecord> {
  try {
    const reader = await openRunReader(tools, root, bare.id);
    if (reader !== null) return await recordOf(root, bare, reader);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return unread(tools, bare, 'unreadable');
  }
  // Whoever makes a run writes its plan first.
  const began = (await listSegments(tools.fs, bare.folder)).length > 0;
  return unread(tools, bare, began ? 'unreadable' : 'unstarted');
}

async function unread({ fs }: Tools, bare: Bare, standing: RunStanding): Promise<RunRecord> {
  return {
    ...bare,
    standing,
    changedAt: await fs.modifiedAt(bare.folder),
    landedTasks: [],
    quarantined: [],
    worktreeBase: null,
    branches: [],
    base: null,
    target: null,
    open: [],
  };
}

async function recordOf(root: string, bare: Bare, reader: RunReader): Promise<RunRecord> {
  const events = await reader.events();
  const view = viewOf(reader.plan, events);
  const alive = view.outcome === null && (await reader.ownerAlive());
  const branches = events.flatMap((event) => (event.type === 'task:started' ? [event.branch] : []));
  return {
    ...bare,
    standing: view.outcome ?? (alive ? 'running' : 'interrupted'),
    changedAt: view.finishedAt ?? view.lastEventAt,
    landedTasks: view.landed,
    quarantined: quarantineOf(view),
    worktreeBase: reader.plan.settings.worktreeBase,
    branches: [...new Set(branches)],
    base: view.base,
    target: view.target,
    open: openAttempts(root, bare.id, view),
  };
}

function quarantineOf(view: RunView): readonly QuarantinedTask[] {
  return [...view.tasks.values()].flatMap((task) => {
    const { id, state, attempts, candidate } = task;
    if (state !== 'failed' && state !== 'conflicted') return [];
    const salvaged = attempts.map(({ salvage }) => salvage).reverse();
    const refs = [candidate?.ref ?? null, ...salvaged].filter((ref) => ref !== null);
    return [{ task: id, state, reason: problemOf(task), refs: [...new Set(refs)] }];
  });
}

function openAttempts(root: string, run: RunId, view: RunView): RunRecord['open'] {
  return [...view.tasks.values()]
    .filter((task) => task.inSlotSince !== null)
    .map((task) => {
      const { transcript } = runPaths(root, run).task(task.id).attempt(task.attempt);
      return { task, transcript };
    });
}

async function sizeOf(tools: Pick<Tools, 'fs' | 'files'>, folder: string): Promise<number> {
  const { fs, files } = tools;
  let bytes = 0;
  for (const name of await fs.list(folder)) {
    const path = join(folder, name);
    const kind = await files.kind(path);
    if (kind === 'folder') bytes += await sizeOf(tools, path);
    if (kind === 'file') bytes += (await fs.size(path)) ?? 0;
  }
  return bytes;
}
