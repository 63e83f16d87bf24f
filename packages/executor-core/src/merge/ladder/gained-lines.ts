/**
 * Lines (or any other items) that the target gained since the base and that `result` lost. What the
 * candidate took away from the base may be missing: of a line the target has `o` times, the base `b` and
 * the candidate `t` times, the result has to hold `o - max(0, b - t)`.
 */
export function lostGains(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
  result: readonly string[],
): readonly string[] {
  const [before, now, other, after] = [base, ours, theirs, result].map(countOf) as [
    Counts,
    Counts,
    Counts,
    Counts,
  ];
  return [...now].flatMap(([line, count]) => {
    const was = before.get(line) ?? 0;
    const removed = Math.max(0, was - (other.get(line) ?? 0));
    return count > was && (after.get(line) ?? 0) < count - removed ? [line] : [];
  });
}

/** Lines without what a rule may change about them: indentation, the comma behind them, blank ones. */
export function comparableLines(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const bare = line.trim().replace(/,$/, '');
    return bare === '' ? [] : [bare];
  });
}

type Counts = ReadonlyMap<string, number>;

function countOf(lines: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}
