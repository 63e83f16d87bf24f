import { comparableLines, lostGains } from './gained-lines';
import type { JsonValue } from './json-text';
import { asUtf8, leavesOf, readJson } from './json-text';
import { hasMarkers } from './merge-parts';
import type { Settled, TextConflict } from './path-conflict';

/**
 * What every rung owes the target: no conflict marker that neither side had, JSON that can be read where
 * both sides can, and, where no side is said to have lost something, everything the target gained since
 * the base.
 */
export function isSafeResult(conflict: TextConflict, { content, loser }: Settled): boolean {
  const { path, base, ours, theirs } = conflict;
  if (hasMarkers(content) && !hasMarkers(ours) && !hasMarkers(theirs)) return false;
  const isJson = path.endsWith('.json');
  const values = isJson ? [base ?? '{}', ours, theirs, content].map(readBytes) : [];
  const [below = null, left = null, right = null, merged = null] = values;
  if (left !== null && right !== null && merged === null) return false;
  if (loser !== undefined) return true;
  if (below !== null && left !== null && right !== null && merged !== null) {
    const leaves = [below, left, right, merged].map((value) => leavesOf(value));
    return keepsGains(leaves);
  }
  return keepsGains([base ?? '', ours, theirs, content].map(comparableLines));
}

function keepsGains([
  base = [],
  ours = [],
  theirs = [],
  result = [],
]: readonly (readonly string[])[]) {
  return lostGains(base, ours, theirs, result).length === 0;
}

function readBytes(bytes: string): JsonValue | null {
  const text = asUtf8(bytes);
  return text === null ? null : readJson(text);
}
