/**
 * Why a disk takes no more: `full` (no space, or no inodes), `quota` (the user's share is used up),
 * `broken` (it reports an error), `read-only` (mounted so, often by the kernel after an error).
 */
export type DiskTrouble = 'full' | 'quota' | 'broken' | 'read-only';

const TROUBLES: ReadonlyMap<string, DiskTrouble> = new Map([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'quota'],
  ['EIO', 'broken'],
  ['EROFS', 'read-only'],
]);

/** What an error of a file operation says about the disk; `null` when it says nothing about it. */
export function diskTroubleOf(error: unknown): DiskTrouble | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? (TROUBLES.get(error.code) ?? null) : null;
}
