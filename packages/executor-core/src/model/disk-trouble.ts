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

/** What programs such as git print instead of a code; see strerror(3). */
const WORDS: readonly (readonly [RegExp, DiskTrouble])[] = [
  [/\bNo space left on device\b/i, 'full'],
  [/\bDisk quota exceeded\b/i, 'quota'],
  [/\bRead-only file system\b/i, 'read-only'],
];

/** What an error of a file operation, or of git, says about the disk; `null` when nothing. */
export function diskTroubleOf(error: unknown): DiskTrouble | null {
  if (typeof error !== 'object' || error === null) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  const known = TROUBLES.get(code) ?? WORDS.find(([words]) => words.test(message))?.[1];
  return known ?? ('cause' in error ? diskTroubleOf(error.cause) : null);
}
