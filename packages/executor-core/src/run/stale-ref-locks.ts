import { join } from 'node:path';
import type { Repository } from '../isolate/repository';
import type { Toolbox } from './toolbox';

/** No git that lives holds the lock of a ref, or of the packed ones, for so long. */
const HELD_MS = 1000;

/**
 * Removes locks that a git of ours left when it was killed in the middle of a ref transaction: those of
 * our refs, and that of the packed refs, which every deletion takes. A lock that is the same after a while
 * is nobody's any more. Waits only where there is one.
 */
export async function removeStaleRefLocks(
  { fs, clock }: Pick<Toolbox, 'fs' | 'clock'>,
  { commonDir }: Pick<Repository, 'commonDir'>,
): Promise<void> {
  const kept = join(commonDir, 'refs/parallel');
  const locks = [join(commonDir, 'packed-refs.lock')];
  for (const run of await fs.list(kept)) {
    const names = (await fs.list(join(kept, run))).filter((name) => name.endsWith('.lock'));
    locks.push(...names.map((name) => join(kept, run, name)));
  }
  const before = await Promise.all(locks.map((lock) => fs.stamp(lock)));
  if (before.every((stamp) => stamp === null)) return;
  await new Promise<void>((resolve) => {
    clock.after(HELD_MS, resolve);
  });
  for (const [at, lock] of locks.entries()) {
    const seen = before[at] ?? null;
    if (seen !== null && (await fs.stamp(lock)) === seen) await fs.removeFile(lock);
  }
}
