// What a large plan costs: 10,000 tasks read, made a graph and decided upon once, in a fresh process;
// then every later decision of the whole run; then 300 x 300 globs. Exits with 1 when a gate is missed.
//   --quick   the later decisions of a smaller plan
// Needs a build (`npm run build`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tableText } from './lib/table.mjs';

const quick = process.argv.includes('--quick');
const TASKS = 10_000;
const child = fileURLToPath(new URL('./lib/plan-child.mjs', import.meta.url));

function measure(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, ...words.map(String)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${words.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/**
 * The machine may be shared: the fastest of three fresh processes, with the memory of the largest. The
 * gate is on processor time, which neighbours change less and which is no less than the wall clock alone.
 */
const tries = [1, 2, 3].map(() => measure('first', TASKS));
const together = ({ parseMs, graphMs, decideMs }) => parseMs + graphMs + decideMs;
const [first] = [...tries].sort((a, b) => a.cpuMs - b.cpuMs);
const later = measure('later', quick ? 2000 : TASKS);
const globs = measure('globs', 300);
const rows = [
  ['read and check the plan (ms)', first.parseMs, ''],
  ['graph and ranks (ms)', first.graphMs, ''],
  ['first decision (ms)', first.decideMs, ''],
  ['together, wall clock (ms)', together(first), ''],
  ['together, processor time (ms)', first.cpuMs, 1000],
  ['peak RSS (MB)', Math.max(...tries.map(({ rssMb }) => rssMb)), 300],
  [`later decisions, ${later.decisions}: mean (ms)`, later.meanMs, 1],
  ['later decisions: p99 (ms)', later.p99Ms, 1],
  ['later decisions: worst (ms)', later.worstMs, ''],
  ['300 x 300 globs, cold (ms)', globs.coldMs, 1000],
  ['300 x 300 globs, warm (ms)', globs.warmMs, ''],
  ['300 x 300 lists with exclusions (ms)', globs.excludingMs, ''],
  ['of 90,000 pairs overlap', globs.overlapping, ''],
];
const shown = (value) =>
  typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : value;
console.log(`A plan of ${TASKS} tasks, each part in a process of its own`);
console.log(
  tableText(
    ['measured', 'value', 'gate'],
    rows.map((row) => row.map(shown)),
  ),
);
const missed = rows.filter(([, value, gate]) => gate !== '' && value > gate);
for (const [what, value, gate] of missed)
  console.error(`missed: ${what} ${shown(value)} > ${gate}`);
process.exitCode = missed.length > 0 ? 1 : 0;
