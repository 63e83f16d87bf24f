/** A plan with thousands of tasks and as many typing mistakes must not take minutes to refuse. */
const MAX_CANDIDATES = 1000;

/**
 * The candidate that is most likely meant by `name`, or `null` when none is near. Case, `_` and `-` do
 * not count, so `dependsOn` finds `depends_on`.
 */
export function closestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = fold(name);
  if (wanted.length > 64) return null;
  const allowed = Math.max(1, Math.floor(wanted.length * 0.4));
  let best: { readonly candidate: string; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    const other = fold(candidate);
    if (Math.abs(other.length - wanted.length) > allowed) continue;
    const distance = editDistance(wanted, other);
    if (distance <= allowed && (best === null || distance < best.distance)) {
      best = { candidate, distance };
    }
  }
  return best?.candidate ?? null;
}

/** `fix` text for an unknown name: the near one, or the ones there are. */
export function suggest(name: string, candidates: Iterable<string>): string | null {
  const all = [...candidates].slice(0, MAX_CANDIDATES);
  const near = closestName(name, all);
  if (near !== null) return `Did you mean "${near}"?`;
  if (all.length === 0) return null;
  const shown = all.slice(0, 12).join(', ');
  return `Use one of: ${shown}${all.length > 12 ? `, … (${all.length})` : ''}.`;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
