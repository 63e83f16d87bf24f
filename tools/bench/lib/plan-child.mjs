// One measurement of plan.mjs in a process of its own; prints one JSON object.
import { performance } from 'node:perf_hooks';
import { createRequire } from 'node:module';
import { between, randomOf } from './random.mjs';
import { summary } from './table.mjs';

const require = createRequire(import.meta.url);
const dist = (path) => require(`../../../packages/executor-core/dist/${path}`);
const [what, count] = [process.argv[2], Number(process.argv[3])];
const elapsed = (since) => performance.now() - since;

/** The YAML of a plan: each task writes a folder of its own, reads another, and waits for up to three. */
function planText(tasks) {
  const random = randomOf(7);
  const lines = ['version: 1', 'agents:', '  codemod: { command: "true", max_parallel: 20 }'];
  lines.push('parallel_executor: { max_agents: 25, default_agent: codemod }', 'tasks:');
  for (let at = 0; at < tasks; at += 1) {
    const after = new Set();
    for (let n = between(random, 0, 3); n > 0 && at > 0; n -= 1)
      after.add(between(random, 0, at - 1));
    lines.push(
      `  task_${at}:`,
      `    prompt: Change the package number ${at}.`,
      `    project: package-${at % 400}`,
      `    writes: [packages/p${at}/src/**, packages/p${at}/package.json]`,
      `    reads: [packages/p${between(random, 0, tasks - 1)}/README.md]`,
      `    depends_on: [${[...after].map((other) => `task_${other}`).join(', ')}]`,
    );
  }
  return lines.join('\n');
}

function read(parsePlan, text) {
  const since = performance.now();
  const result = parsePlan({ text, file: 'parallel.yaml' });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics.slice(0, 3)));
  return { plan: result.plan, parseMs: elapsed(since) };
}

const OPENING = { type: 'run:started', at: 0, maxAgents: 25, frontDoor: 'cli', tasks: count };

const MEASUREMENTS = {
  first() {
    const { prepareProblem } = dist('schedule/problem.js');
    const { initialState } = dist('schedule/run-state.js');
    const { decide } = dist('schedule/decide.js');
    const text = planText(count);
    const { parsePlan } = dist('plan/load-plan.js');
    const before = process.cpuUsage();
    const { plan, parseMs } = read(parsePlan, text);
    let since = performance.now();
    const state = initialState(prepareProblem(plan));
    const graphMs = elapsed(since);
    since = performance.now();
    const [, commands] = decide(state, OPENING);
    const decideMs = elapsed(since);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    if (!commands.some(({ type }) => type === 'acquire')) throw new Error('Nothing was started.');
    return { parseMs, graphMs, decideMs, cpuMs, rssMb: process.resourceUsage().maxRSS / 1024 };
  },
  later() {
    const { decide } = dist('schedule/decide.js');
    const times = [];
    const timed = (state, fact) => {
      const since = performance.now();
      const result = decide(state, fact);
      times.push(elapsed(since));
      return result;
    };
    // The prediction plays the whole run through `decide`, as it is found in its module.
    dist('schedule/decide.js').decide = timed;
    const { predictRun } = dist('schedule/predict.js');
    const { plan } = read(dist('plan/load-plan.js').parsePlan, planText(count));
    const random = randomOf(11);
    const lengths = plan.tasks.map(() => 1 + random());
    predictRun(
      plan,
      ({ index }) => lengths[index],
      () => null,
    );
    const { mean, p99, worst } = summary(times.slice(1));
    return { decisions: times.length - 1, meanMs: mean, p99Ms: p99, worstMs: worst };
  },
  globs() {
    const { accessSetsOverlap, globsOverlap } = dist('graph/path-overlap.js');
    const random = randomOf(3);
    const part = () =>
      ['src', 'lib', 'app', '*', '**', '*.ts', '?x', '[a-m]*', '{api,web}', 'p-*', 'x{1,2}y'][
        between(random, 0, 10)
      ];
    const glob = () => Array.from({ length: between(random, 2, 6) }, part).join('/');
    const [left, right] = [
      Array.from({ length: count }, glob),
      Array.from({ length: count }, glob),
    ];
    const all = () =>
      left.reduce((sum, a) => sum + right.filter((b) => globsOverlap(a, b)).length, 0);
    let since = performance.now();
    const overlapping = all();
    const coldMs = elapsed(since);
    since = performance.now();
    all();
    const warmMs = elapsed(since);
    const holes = ['!**/*.spec.ts', '!**/gen/**', '!src/**/x*', '!*/p-*'];
    const lists = (globs) => globs.map((one, at) => [one, holes[at % holes.length]]);
    const [ours, theirs] = [lists(left), lists(right)];
    since = performance.now();
    for (const a of ours) for (const b of theirs) accessSetsOverlap(a, b);
    return { overlapping, coldMs, warmMs, excludingMs: elapsed(since) };
  },
};

console.log(JSON.stringify(MEASUREMENTS[what]()));
