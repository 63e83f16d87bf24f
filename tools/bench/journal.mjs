// What a recovery costs: 100,000 events, with and without the snapshot, beside reading the files and
// parsing each line, which is the least that can be done, in the same run. Processor time, the best of
// five fresh processes. Exits with 1 when a gate is missed.
//   --quick   20,000 events, and no gate
// Needs a build (`npm run build`).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableText } from './lib/table.mjs';

const quick = process.argv.includes('--quick');
const EVENTS = quick ? 20_000 : 100_000;
/** As many as just fit into a segment. */
const SEGMENT_EVENTS = 23_000;
const GATE_MS = quick ? '' : 500;
const child = fileURLToPath(new URL('./lib/journal-child.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'bench-journal-'));

function measure(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, ...words.map(String)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${words.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout);
}
const best = (...words) =>
  [1, 2, 3, 4, 5].map(() => measure(...words)).sort((a, b) => a.cpuMs - b.cpuMs)[0];

try {
  const written = measure('write', dir, EVENTS);
  const limit = best('limit', dir);
  const all = best('recover', dir, 'all');
  const snapshot = best('recover', dir);
  // One segment just before it is full, and no snapshot.
  const short = mkdtempSync(join(tmpdir(), 'bench-journal-'));
  const one = measure('write', short, SEGMENT_EVENTS);
  const rest = best('recover', short);
  rmSync(short, { recursive: true, force: true });
  if (one.segments !== 1) throw new Error('the segment is not the only one');
  if (all.landed !== 1000 || snapshot.landed !== 1000) throw new Error('the fold is wrong');
  const rows = [
    ['read the files, JSON.parse each line', limit.cpuMs, 1, ''],
    ['recover, all segments (no snapshot)', all.cpuMs, all.cpuMs / limit.cpuMs, ''],
    ['recover, snapshot and the rest', snapshot.cpuMs, snapshot.cpuMs / limit.cpuMs, GATE_MS],
    ['recover, the longest rest there can be', rest.cpuMs, rest.cpuMs / limit.cpuMs, GATE_MS],
  ];
  console.log(
    `${written.events} events, ${Math.round(written.bytes / 1e6)} MB in ${written.segments} segments`,
  );
  console.log(
    tableText(
      ['measured', 'CPU ms', 'of the limit', 'gate'],
      rows.map(([what, ms, ratio, gate]) => [what, Math.round(ms), ratio.toFixed(2), gate]),
    ),
  );
  const missed = rows.filter(([, ms, , gate]) => gate !== '' && ms > gate);
  for (const [what, ms, , gate] of missed)
    console.error(`missed: ${what} ${Math.round(ms)} > ${gate}`);
  process.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
