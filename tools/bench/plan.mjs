// What a large plan costs: 10,000 tasks read, made a graph and decided upon once, in a fresh process;
// then every later decision of whole runs, of plans that are hard in different ways; then 300 x 300
// globs. Exits with 1 when a gate is missed.
//   --quick   the later decisions of smaller plans
// Needs a build (`npm run build`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tableText } from './lib/table.mjs';

const quick = process.argv.includes('--quick');
const TASKS = 10_000;
const SHAPES = ['usual', 'everything', 'crowded', 'teams', 'phases'];
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
const globs = measure('globs', 300);
const rows = [
  ['read and check the plan (ms)', first.parseMs, ''],
  ['graph and ranks (ms)', first.graphMs, ''],
  ['first decision (ms)', first.decideMs, ''],
  ['together, wall clock (ms)', together(first), ''],
  ['together, processor time (ms)', first.cpuMs, 1000],
  ['peak RSS (MB)', Math.max(...tries.map(({ rssMb }) => rssMb)), 300],
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

const later = SHAPES.map((shape) => ({
  shape,
  ...measure('later', quick ? 2000 : TASKS, shape),
}));
console.log(`
Later decisions, processor time in ms; gate: p99 of a run and the worst below 1. "worst" is that of the
best of three equal runs for each decision; "once" is one run's, with what the collector and the
compiler do meanwhile: so many took longer than 1 ms, and so many of these while garbage was collected.`);
const columns = [
  'decisions',
  'mean',
  'p99',
  'p999',
  'worst',
  'once',
  'slow',
  'slowWithGc',
  'rssMb',
];
console.log(
  tableText(
    ['plan', ...columns],
    later.map((row) => ['shape', ...columns].map((key) => shown(row[key]))),
  ),
);

const missed = [
  ...rows.filter(([, value, gate]) => gate !== '' && value > gate),
  ...later.flatMap(({ shape, p99, worst }) =>
    [
      [`later decisions, ${shape}: p99 (ms)`, p99, 1],
      [`later decisions, ${shape}: worst (ms)`, worst, 1],
    ].filter(([, value, gate]) => value > gate),
  ),
];
for (const [what, value, gate] of missed)
  console.error(`missed: ${what} ${shown(value)} > ${gate}`);
process.exitCode = missed.length > 0 ? 1 : 0;
