import type { Plan } from '../model/task';
import type { FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import type { Problem } from '../schedule/problem';
import { prepareProblem } from '../schedule/problem';
import { readEntries, refuseLaterFormat } from '../store/read-journal';
import { readSnapshot, writeSnapshot } from '../store/snapshot-file';
import type { PackedFold, RecoveryFold } from './recovery-fold';
import { emptyFold, foldOn, packFold, unpackFold } from './recovery-fold';

/** A fold, and up to where it counts each segment in. */
interface Start {
  readonly fold: RecoveryFold;
  readonly cursor: ReadonlyMap<string, number>;
}

/** The fold over the whole journal of the run in `dir`: of the snapshot, where it can be used, and the rest. */
export async function foldJournal(
  fs: FileSystem,
  dir: string,
  problem: Problem,
  journal: Pick<Journal, 'read' | 'readBehind'>,
): Promise<RecoveryFold> {
  const { fold, cursor } = await startOf(fs, dir, problem);
  const rest = await journal.readBehind(cursor);
  return rest === null ? foldOn(emptyFold(problem), await journal.read()) : foldOn(fold, rest);
}

export interface Snapshots {
  /** Makes one of all that is in front of `segment`, soon; a failure leaves the last one. */
  readonly take: (segment: string) => void;
  /** Resolves when none is being made. */
  readonly settled: () => Promise<void>;
}

/**
 * Snapshots of a run's journal. `take` is called when a segment follows a full one: everything in front
 * of that segment is folded, from the files, so that what a recovery makes of a snapshot and the rest is
 * what it would make of the whole. A snapshot that cannot be made leaves the last one, or none.
 */
export function snapshotsOf(fs: FileSystem, dir: string, plan: Plan): Snapshots {
  let underWay: Promise<void> = Promise.resolve();
  const make = async (segment: string): Promise<void> => {
    const start = await startOf(fs, dir, prepareProblem(plan));
    const reading = await readEntries(fs, dir, start.cursor, segment);
    refuseLaterFormat(reading.later);
    // Its next reader would find out, and fold everything.
    if (reading.voidsEarlier) return;
    const fold = foldOn(
      start.fold,
      reading.entries.map(({ event }) => event),
    );
    await writeSnapshot(fs, dir, { cursor: reading.cursor, content: packFold(fold) });
  };
  return {
    take(segment) {
      underWay = underWay.then(() => make(segment)).catch(() => undefined);
    },
    settled: () => underWay,
  };
}

async function startOf(fs: FileSystem, dir: string, problem: Problem): Promise<Start> {
  const snapshot = await readSnapshot(fs, dir).catch(() => null);
  const fold = snapshot === null ? null : unpacked(problem, snapshot.content);
  if (snapshot === null || fold === null)
    return { fold: emptyFold(problem), cursor: new Map<string, number>() };
  return { fold, cursor: snapshot.cursor };
}

/** `null` when it is not of this version, or not of this plan. */
function unpacked(problem: Problem, content: unknown): RecoveryFold | null {
  try {
    return unpackFold(problem, content as PackedFold);
  } catch {
    return null;
  }
}
