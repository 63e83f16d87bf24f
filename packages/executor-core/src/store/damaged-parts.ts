import { join } from 'node:path';
import type { FileSystem } from '../ports/file-system';
import type { JournalDamage } from './read-journal';

/**
 * Keeps a copy of each damaged part as `damaged/<segment>@<offset>.txt` (base64 of its bytes), and
 * leaves the segments as they are. A part that is kept already is not kept again; torn records, which
 * nobody was ever told are stored, are not kept.
 */
export async function keepDamagedParts(
  fs: FileSystem,
  dir: string,
  damage: readonly JournalDamage[],
): Promise<void> {
  const parts = damage.filter(({ kind }) => kind !== 'torn');
  if (parts.length === 0) return;
  await fs.makeDir(join(dir, 'damaged'));
  for (const { segment, offset, bytes } of parts) {
    const path = join(dir, 'damaged', `${segment}@${offset}.txt`);
    if (await fs.exists(path)) continue;
    const part = (await fs.readFrom(join(dir, segment), offset)).subarray(0, bytes);
    await fs.createExclusive(path, `${part.toString('base64')}\n`);
  }
}
