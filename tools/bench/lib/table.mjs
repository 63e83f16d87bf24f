/** Aligned text: the first column to the left, the others to the right. */
export function tableText(header, rows) {
  const all = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, at) => Math.max(...all.map((row) => row[at].length)));
  const lines = all.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  '),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join(
    '\n',
  );
}

/** Mean, percentiles and worst of some numbers. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return { mean, p95: at(0.95), p99: at(0.99), p999: at(0.999), worst: sorted.at(-1) };
}
