// One measurement of plan.mjs in a process of its own; prints one JSON object.
import { performance, PerformanceObserver } from 'node:perf_hooks';
import { createRequire } from 'node:module';
import { between, randomOf } from './random.mjs';
import { summary } from './table.mjs';

const require = createRequire(import.meta.url);
const dist = (path) => require(`../../../packages/executor-core/dist/${path}`);
const [what, count, shape] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const elapsed = (since) => performance.now() - since;

const HEAD = [
  'version: 1',
  'agents:',
  '  codemod: { command: "true", max_parallel: 20 }',
  'parallel_executor: { max_agents: 25, default_agent: codemod }',
];

/** The YAML of plans of so many tasks, by what is hard about them. */
const SHAPES = {
  /** Each task writes a folder of its own, reads another, and waits for up to three. */
  usual(tasks) {
    const random = randomOf(7);
    const entries = Array.from({ length: tasks }, (_, at) => {
      const after = new Set();
      for (let n = between(random, 0, 3); n > 0 && at > 0; n -= 1)
        after.add(between(random, 0, at - 1));
      return [
        `  task_${at}:`,
        `    prompt: Change the package number ${at}.`,
        `    project: package-${at % 400}`,
        `    writes: [packages/p${at}/src/**, packages/p${at}/package.json]`,
        `    reads: [packages/p${between(random, 0, tasks - 1)}/README.md]`,
        `    depends_on: [${[...after].map((other) => `task_${other}`).join(', ')}]`,
      ].join('\n');
    });
    return [...HEAD, 'tasks:', ...entries].join('\n');
  },
  /** Nobody waits for anybody, and all may write everything: one at a time, the others in the way. */
  everything(tasks) {
    return flat(tasks, () => '{ prompt: Change it. }');
  },
  /** Ten folders, each wanted by a tenth of the tasks: slots stay free, and nearly everybody waits. */
  crowded(tasks) {
    return flat(tasks, (at) => `{ prompt: Change it., writes: [packages/p${at % 10}/**] }`);
  },
  /** A full team before all the others: all of it is passed again for each of them. */
  teams(tasks) {
    const team = (at) => (at < tasks / 2 ? 'one' : 'two');
    return [
      flat(tasks, (at) => `{ prompt: Go., team: ${team(at)}, writes: [packages/p${at}/**] }`),
      'resource_strategies:',
      '  team_based: { one: { max_parallel: 5 }, two: { max_parallel: 5 } }',
    ].join('\n');
  },
  /** Two phases, so that half of the tasks become ready at once. */
  phases(tasks) {
    return [
      flat(tasks, (at) => `{ phase: p${at < tasks / 2 ? 1 : 2}, writes: [packages/p${at}/**] }`),
      'phases: [p1, p2]',
    ].join('\n');
  },
};

function flat(tasks, entry) {
  const entries = Array.from({ length: tasks }, (_, at) => `  task_${at}: ${entry(at)}`);
  return [...HEAD, 'tasks:', ...entries].join('\n');
}

function read(parsePlan, text) {
  const since = performance.now();
  const result = parsePlan({ text, file: 'parallel.yaml' });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics.slice(0, 3)));
  return { plan: result.plan, parseMs: elapsed(since) };
}

/**
 * A whole run, played through `decide`: of each decision but the first its processor and wall time in
 * ms, and when it began.
 */
function decisionTimes(plan) {
  const scheduler = dist('schedule/decide.js');
  const { decide } = scheduler;
  // Numbers and no objects: what is noted here must not be garbage, which would be counted as ours.
  const most = 8 * plan.tasks.length;
  const [cpu, wall, since] = [0, 1, 2].map(() => new Float64Array(most));
  let count = 0;
  const random = randomOf(11);
  const lengths = plan.tasks.map(() => 1 + random());
  // The prediction asks `decide` as it is found in its module.
  scheduler.decide = (state, fact) => {
    const before = process.cpuUsage();
    since[count] = performance.now();
    const result = decide(state, fact);
    wall[count] = elapsed(since[count]);
    const { user, system } = process.cpuUsage(before);
    cpu[count] = (user + system) / 1000;
    count += 1;
    return result;
  };
  dist('schedule/predict.js').predictRun(
    plan,
    ({ index }) => lengths[index],
    () => null,
  );
  scheduler.decide = decide;
  return {
    cpu: cpu.subarray(1, count),
    wall: wall.subarray(1, count),
    since: since.subarray(1, count),
  };
}

/** Runs `work` and gives what it gives, and when the garbage was collected meanwhile. */
async function watched(work) {
  const pauses = [];
  const note = (list) => pauses.push(...list.getEntries());
  const observer = new PerformanceObserver(note);
  observer.observe({ entryTypes: ['gc'] });
  const result = work();
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.disconnect();
  return { result, pauses };
}

const OPENING = { type: 'run:started', at: 0, maxAgents: 25, frontDoor: 'cli', tasks: count };

const MEASUREMENTS = {
  first() {
    const { prepareProblem } = dist('schedule/problem.js');
    const { initialState } = dist('schedule/run-state.js');
    const { decide } = dist('schedule/decide.js');
    const text = SHAPES.usual(count);
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
  async later() {
    const { plan } = read(dist('plan/load-plan.js').parsePlan, SHAPES[shape](count));
    const { result: runs, pauses } = await watched(() => [1, 2, 3].map(() => decisionTimes(plan)));
    // The three runs are the same, decision for decision: what takes long in only one of them is the
    // collector, the compiler or a neighbour; what takes long in each of them is the decision.
    const own = runs[0].cpu.map((_, at) => Math.min(...runs.map(({ cpu }) => cpu[at])));
    const { cpu, wall, since } = runs.at(-1);
    const slow = [...cpu.keys()].filter((at) => cpu[at] > 1);
    const collected = slow.filter((at) =>
      pauses.some(
        ({ startTime, duration }) =>
          startTime < since[at] + wall[at] && startTime + duration > since[at],
      ),
    );
    const once = summary(cpu);
    return {
      decisions: own.length,
      mean: once.mean,
      p99: once.p99,
      p999: once.p999,
      worst: summary(own).worst,
      once: once.worst,
      slow: slow.length,
      slowWithGc: collected.length,
      rssMb: process.resourceUsage().maxRSS / 1024,
    };
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

console.log(JSON.stringify(await MEASUREMENTS[what]()));
