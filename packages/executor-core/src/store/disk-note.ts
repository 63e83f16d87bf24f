import { join } from 'node:path';
import type { EventOf, RunEvent } from '../model/event';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { QuickFiles } from '../ports/quick-files';

/** Bytes the note has from the beginning: what is said when the disk is full needs no room of its own. */
const NOTE_BYTES = 2048;
const LOOK_EVERY_MS = 1000;
const NOTE_FILE = 'disk-note.json';

/**
 * Makes room for the note of a run, once: while the disk refuses, the journal cannot tell so, and this
 * file, rewritten in place, does.
 */
export function reserveDiskNote(quick: QuickFiles, dir: string): void {
  try {
    const made = quick.create(join(dir, NOTE_FILE), ' '.repeat(NOTE_BYTES));
    // What a process that is gone said of the disk is void.
    if (made === 'exists') clearDiskNote(quick, dir);
  } catch {
    // Then only the process that drives the run can tell.
  }
}

/** Says that the disk refuses. Where not even that can be written, only this process tells it. */
export function writeDiskNote(
  quick: QuickFiles,
  dir: string,
  event: EventOf<'disk:refused'>,
): void {
  rewrite(quick, dir, JSON.stringify(event));
}

/** Says that the disk takes files again. */
export function clearDiskNote(quick: QuickFiles, dir: string): void {
  rewrite(quick, dir, '');
}

/** What the note says; `null` when it says nothing. */
export async function readDiskNote(
  fs: FileSystem,
  dir: string,
): Promise<EventOf<'disk:refused'> | null> {
  const text = (await fs.readText(join(dir, NOTE_FILE)))?.trim() ?? '';
  if (text === '') return null;
  try {
    const value = JSON.parse(text) as Partial<EventOf<'disk:refused'>> | null;
    const isWhole = typeof value?.reason === 'string' && typeof value.at === 'number';
    return isWhole && value.type === 'disk:refused' ? (value as EventOf<'disk:refused'>) : null;
  } catch {
    return null;
  }
}

/**
 * Calls back when the note begins to say something, once each time. That the disk takes files again is
 * in the journal.
 */
export function followDiskNote(
  { fs, clock }: { readonly fs: FileSystem; readonly clock: Clock },
  dir: string,
  onEvents: (events: readonly RunEvent[]) => void,
): () => void {
  let told: number | null = null;
  let stopped = false;
  let cancel = (): void => undefined;
  const isStopped = (): boolean => stopped;
  const look = async (): Promise<void> => {
    const note = await readDiskNote(fs, dir).catch(() => null);
    if (isStopped()) return;
    if (note !== null && note.at !== told) onEvents([note]);
    told = note?.at ?? null;
    cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  void look();
  return () => {
    stopped = true;
    cancel();
  };
}

function rewrite(quick: QuickFiles, dir: string, text: string): void {
  try {
    quick.rewrite(join(dir, NOTE_FILE), text);
  } catch {
    // It is about a disk in trouble: nobody may fail for it.
  }
}
