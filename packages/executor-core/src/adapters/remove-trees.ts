import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ShellLauncher } from './shell-launcher';
import { systemShell } from './system-shell';

/** Arguments of one `rm`: far below any system's limit. */
const MOST_AT_ONCE = 200;

/**
 * Removes whole trees with the system's `rm`, one for all of them: a walk of our own takes the main thread
 * some 80 µs a file. Every tree is tried; rejects when one could not be removed.
 * Never follows a symbolic link.
 */
export async function removeTrees(paths: readonly string[]): Promise<void> {
  // `resolve` drops a trailing slash: with it, a link would stand for the folder behind it.
  const trees = paths.map((path) => resolve(path));
  for (let at = 0; at < trees.length; at += MOST_AT_ONCE) {
    const some = trees.slice(at, at + MOST_AT_ONCE);
    if (!(await removedByProgram(some))) await removeByHand(some);
  }
}

async function removedByProgram(paths: readonly string[]): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const call = { argv: ['rm', '-rf', '--', ...paths], cwd: '/', env: {} };
  if (!ShellLauncher.accepts(call)) return false;
  const removed = await systemShell()
    .run(call)
    .catch(() => null);
  return removed?.exitCode === 0;
}

async function removeByHand(paths: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  for (const path of paths) {
    await rm(path, { recursive: true, force: true, maxRetries: 4, retryDelay: 50 }).catch(
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw failures[0];
}
