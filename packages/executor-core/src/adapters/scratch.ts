import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './error-code';

/** What is put into the system's folder for temporary files. */
type ScratchKind = 'shell' | 'object' | 'socket';

/** A ladder's folders are named so by whoever makes them. */
const OF_A_PROCESS = /^parallel-(?:shell|object|socket|ladder)-([1-9]\d*)-/;

/** Beginning of the name of what this process puts there: whoever finds it knows whether its owner lives. */
export function scratchPrefix(kind: ScratchKind): string {
  return `parallel-${kind}-${process.pid}-`;
}

/** Removes from `folder` what processes that were killed left there. */
export function removeLeftScratch(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const pid = Number(OF_A_PROCESS.exec(name)?.[1] ?? NaN);
      if (!Number.isNaN(pid) && !exists(pid)) {
        rmSync(join(folder, name), { recursive: true, force: true });
      }
    }
  } catch {
    // Somebody else's, or somebody else removes it as well.
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
