// How close to the shortest possible run the scheduler comes: makespan over a lower bound, on seeded task
// graphs, beside first-come-first-served and beside Nx. Exits with 1 when a gate is missed.
//   --quick   a few graphs, no run of Nx (the smoke of the gate)
//   --full    graphs of 1,000 tasks too
// Needs a build (`npm run build`).
import { GENERATORS, lowerBound } from './lib/dags.mjs';
import { nxRows } from './lib/nx-workspace.mjs';
import { POLICIES, SIGMA } from './lib/policies.mjs';
import { summary, tableText } from './lib/table.mjs';

const quick = process.argv.includes('--quick');
const full = process.argv.includes('--full');
const AGENTS = [5, 10, 25];
const SIZES = quick ? [[200, 6]] : [[50, 40], [200, 60], ...(full ? [[1000, 10]] : [])];
/** Mean ratio to the bound that must not be exceeded, at sigma 0.7 and 200 tasks. */
const GATES = { layered: 1.03, 'random-predecessor': 1.03, 'fork-join': 1.13 };
const GATED = `ours, sigma ${SIGMA}`;

const missed = [];
for (const [size, count] of SIZES) {
  const rows = [];
  for (const [name, generate] of Object.entries(GENERATORS)) {
    const graphs = Array.from({ length: count }, (_, at) => generate(size, 1000 * size + at));
    const bounds = graphs.map((graph) => AGENTS.map((agents) => lowerBound(graph, agents)));
    for (const [policy, makespanOf] of Object.entries(POLICIES)) {
      const cells = AGENTS.flatMap((agents, column) => {
        const ratios = graphs.map(
          (graph, at) => makespanOf(graph, agents, at + 1) / bounds[at][column],
        );
        const { mean, p95, worst } = summary(ratios);
        if (policy === GATED && size === 200 && mean > (GATES[name] ?? Infinity)) {
          missed.push(`${name}, ${agents} agents: ${mean.toFixed(3)} > ${GATES[name]}`);
        }
        return [mean, p95, worst];
      });
      rows.push([`${name}: ${policy}`, ...cells.map((value) => value.toFixed(3))]);
    }
  }
  const header = AGENTS.flatMap((agents) => [`P=${agents} mean`, 'p95', 'worst']);
  console.log(`\nMakespan / lower bound, ${count} graphs of ${size} tasks each`);
  console.log(tableText(['graphs: scheduler', ...header], rows));
}

if (!quick) {
  console.log(
    '\nNx for real: 40 sleeping targets (100 to 400 ms), wall clock / lower bound, nothing subtracted; the other columns are played through',
  );
  console.log(
    tableText(
      ['graph', 'P', 'nx run-many, wall', 'nx model, exact', 'ours, sigma 0.7'],
      await nxRows(),
    ),
  );
}
if (missed.length > 0) {
  console.error(`\nGates missed:\n  ${missed.join('\n  ')}`);
  process.exitCode = 1;
} else console.log('\nGates met: mean <= 1.03 layered and random-predecessor, <= 1.13 fork-join.');
