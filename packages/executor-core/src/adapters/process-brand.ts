import { createHash } from 'node:crypto';
import type { ProcessMark } from '../model/process';

/** Every brand is at least this many bytes: more than any file has, so that the limit limits nothing. */
const LEAST = 2n ** 60n;
const BITS = 48;

/**
 * The brand of the processes of an attempt: a limit on the size of files (RLIMIT_FSIZE, in bytes) that
 * is too high to matter and that nobody else has. It is inherited by fork and kept by exec, so it stays
 * with a process that left its session, parent, folder, output and environment behind.
 */
export function brandOf({ run, task }: ProcessMark): string {
  const hash = createHash('sha256').update(`${run}\0${task}`).digest('hex');
  return String(LEAST + BigInt(`0x${hash.slice(0, BITS / 4)}`));
}

/** The brand in the text of `/proc/<pid>/limits`; `null` when the process has none. */
export function brandIn(limits: string): string | null {
  const soft = softLimit(limits);
  return soft !== null && /^\d+$/.test(soft) && BigInt(soft) >= LEAST ? soft : null;
}

/** `false` where files are really limited, which a brand would lift. */
export function mayBrand(limits: string): boolean {
  return softLimit(limits) === 'unlimited' || brandIn(limits) !== null;
}

function softLimit(limits: string): string | null {
  return /^Max file size +(\S+)/m.exec(limits)?.[1] ?? null;
}
