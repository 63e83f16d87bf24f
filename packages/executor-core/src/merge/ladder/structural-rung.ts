import { compileAccess } from '../../graph/access-matcher';
import { mergeJson } from './json-merge';
import { asUtf8 } from './json-text';
import type { Settled, TextConflict } from './path-conflict';
import { isBarrel, unionRung } from './union-rung';

/** Files whose added lines are kept from both sides, unless the plan says otherwise. */
export const UNION_GLOBS: readonly string[] = ['**/CHANGELOG*.md', '**/changelog*.md'];

/**
 * Settles a conflict by what kind of file it is in: JSON by keys; by the union rule what `union` (globs)
 * names, and barrels. `null` where no rule applies.
 */
export function structuralRung(conflict: TextConflict, union: readonly string[]): Settled | null {
  if (conflict.path.endsWith('.json')) return jsonRung(conflict);
  return compileAccess(union)(conflict.path) || isBarrel(conflict) ? unionRung(conflict) : null;
}

function jsonRung({ path, base, ours, theirs }: TextConflict): Settled | null {
  const texts = [base, ours, theirs].map((bytes) => (bytes === null ? null : asUtf8(bytes)));
  const [below = null, left, right] = texts;
  if (left == null || right == null || (base !== null && below === null)) return null;
  const merged = mergeJson(path, below, left, right);
  if (merged === null) return null;
  const content = Buffer.from(merged.text, 'utf8').toString('latin1');
  const reason = 'merged by its keys';
  if (merged.replaced.length === 0) return { content, reason };
  const changed = merged.replaced.map((leaf) => leaf.slice(0, leaf.indexOf(' = '))).join(', ');
  return { content, reason: `${reason}; the higher version of ${changed}`, loser: 'ours' };
}
