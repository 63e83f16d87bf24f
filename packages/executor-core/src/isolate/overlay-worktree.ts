import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { UserError } from '../model/user-error';
import type { AdminEntry } from './admin-entry';
import { type OverlayRecord, writeOverlay } from './overlay-record';
import type { WorktreeSite } from './worktree-site';

/** Folder of what is written in overlays. */
export function changesFolder(base: string): string {
  return join(base, '.overlay');
}

/**
 * Shows all files of a pinned checkout in a worktree that has none, with the pinned one's index: it is clean at
 * once. What is written from now on is kept apart. A kill at any point leaves what `takeDown` takes away.
 */
export async function showOver(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry,
  pinned: { readonly path: string; readonly entry: AdminEntry },
): Promise<void> {
  const { fs } = site;
  const record = { lower: pinned.path, changes: join(changesFolder(site.base), randomUUID()) };
  await Promise.all(['files', 'work'].map((name) => fs.makeDir(join(record.changes, name))));
  await writeOverlay(fs, entry.folder, record);
  await mount(site, path, record).catch((error: unknown) => {
    throw cannotShow(path, error);
  });
  // The one that is shown is the pinned checkout's.
  await fs.replace(join(path, '.git'), `gitdir: ${entry.folder}\n`);
  // Not as a second name of one file: the sandboxed git of an agent may write into its own.
  const copy = join(entry.folder, 'index.shown');
  await site.files.copy(join(pinned.entry.folder, 'index'), copy);
  await fs.rename(copy, join(entry.folder, 'index'));
}

/**
 * Shows an overlay again that a restart of the machine took down, so that the work in it can be saved. `false`
 * when nothing of it is left: then it had been saved, and was on its way out.
 */
export async function showAgain(site: WorktreeSite, entry: AdminEntry): Promise<boolean> {
  const { worktree: path, overlay } = entry;
  if (path === null || overlay === null) return true;
  if (!(await site.fs.exists(overlay.changes))) return false;
  if (await isShown(site, path)) return true;
  await site.fs.makeDir(path);
  await mount(site, path, overlay);
  return true;
}

/** Takes the mount away, if there is one, so that the folder can be renamed; what was written in it stays. */
export async function unshow(site: WorktreeSite, path: string): Promise<void> {
  await site.mounts?.unmount(path);
}

/** Takes an overlay away, and what was written in it to the trash. */
export async function takeDown(
  site: WorktreeSite,
  path: string,
  entry: AdminEntry | null,
): Promise<void> {
  // Somebody may have removed the entry of one.
  if (entry !== null && entry.overlay === null) return;
  await unshow(site, path);
  if (entry?.overlay != null) {
    await site.fs.rename(entry.overlay.changes, await site.trash('tree'));
  }
}

async function isShown({ mounts }: WorktreeSite, path: string): Promise<boolean> {
  return (await mounts?.below(path))?.includes(path) ?? false;
}

async function mount(site: WorktreeSite, at: string, record: OverlayRecord): Promise<void> {
  const { lower, changes } = record;
  if (site.mounts === undefined) throw new Error('nothing here can mount an overlay');
  const folders = { changes: join(changes, 'files'), work: join(changes, 'work') };
  await site.mounts.overlay({ lower, ...folders, at });
}

function cannotShow(at: string, error: unknown): UserError {
  return new UserError(
    'environment',
    `No overlay can be mounted at ${at}: ${error instanceof Error ? error.message : String(error)}.`,
    'Run as root on Linux, or set worktrees: full.',
  );
}
