import { joinParts } from './merge-parts';
import type { Settled, TextConflict } from './path-conflict';

const INDEX_FILE = /(?:^|\/)index\.[cm]?[jt]sx?$/;
/** One line of a barrel: an import or export in a single line, a comment, or nothing. */
const BARREL_LINE =
  /^\s*(?:$|\/\/|\/?\*|(?:export|import)\b[^;]*(?:from\s*)?['"][^'"]+['"]\s*;?\s*(?:\/\/.*)?$)/;

/**
 * The union rule: where both sides only added lines, those of the target come first, then those of the
 * candidate that the target did not add too. A line that either side changed or removed in a hunk makes
 * the rule refuse.
 */
export function unionRung({ parts, ours }: TextConflict): Settled | null {
  if (parts?.every((part) => part.kind === 'merged' || part.base.length === 0) !== true)
    return null;
  const content = joinParts(parts, (hunk) => unite(hunk.ours, hunk.theirs), ours);
  return { content, reason: 'the lines both sides added are kept, the target first' };
}

/** `true` for an index file whose versions hold nothing but one-line exports and imports. */
export function isBarrel({ path, base, ours, theirs }: TextConflict): boolean {
  if (!INDEX_FILE.test(path)) return false;
  return [base ?? '', ours, theirs].every((text) =>
    text.split('\n').every((line) => BARREL_LINE.test(line)),
  );
}

/**
 * What both sides end with stands at the end once. Below a heading that is new, lines repeat for a
 * reason: they are dropped only above it. Blank lines only separate.
 */
function unite(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  const shared = sharedEnd(ours, theirs);
  const known = new Set(ours.map((line) => line.trim()));
  let inNewSection = false;
  const added: string[] = [];
  for (const line of theirs.slice(0, theirs.length - shared)) {
    const text = line.trim();
    const isNew = text === '' ? isText(added.at(-1)) : inNewSection || !known.has(text);
    if (!isNew) continue;
    if (text.startsWith('#')) inNewSection = true;
    added.push(line);
  }
  const [mine, end] = [ours.slice(0, ours.length - shared), ours.slice(ours.length - shared)];
  return [...mine, ...added, ...end];
}

/** How many lines at the end are the same. */
function sharedEnd(ours: readonly string[], theirs: readonly string[]): number {
  const most = Math.min(ours.length, theirs.length);
  let count = 0;
  while (count < most && ours.at(-1 - count) === theirs.at(-1 - count)) count += 1;
  return count;
}

function isText(line: string | undefined): boolean {
  return line !== undefined && line.trim() !== '';
}
