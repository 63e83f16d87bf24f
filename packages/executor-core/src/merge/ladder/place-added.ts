/**
 * `ours` with what only `theirs` has: behind what stands before it there, and behind what only `ours`
 * has at that place. Where both are sorted, so is
 * the answer, which is how tools write dependencies.
 */
export function placeAdded(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  const known = new Set(ours);
  const shared = new Set(theirs.filter((key) => known.has(key)));
  const fromOurs = new Set(ours);
  const placed = [...ours];
  const isOnlyOurs = (key: string | undefined): boolean =>
    key !== undefined && !shared.has(key) && fromOurs.has(key);
  let after = -1;
  for (const key of theirs) {
    if (known.has(key)) {
      after = placed.indexOf(key);
      continue;
    }
    after += 1;
    while (isOnlyOurs(placed[after])) after += 1;
    placed.splice(after, 0, key);
    known.add(key);
  }
  const order = [compareUnits, compareNames].find(
    (compare) => isSorted(ours, compare) && isSorted(theirs, compare),
  );
  const both = ours.length > 0 && theirs.length > 1;
  return order !== undefined && both ? placed.sort(order) : placed;
}

type Compare = (a: string, b: string) => number;

const compareUnits: Compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const compareNames: Compare = (a, b) => a.localeCompare(b, 'en');

function isSorted(keys: readonly string[], compare: Compare): boolean {
  return keys.every((key, at) => at === 0 || compare(keys[at - 1] ?? '', key) <= 0);
}
