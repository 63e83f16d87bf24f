import { createRequire } from 'node:module';
import { nodesOf } from './dags.mjs';
import { normal, randomOf } from './random.mjs';

const core = createRequire(import.meta.url)('../../../packages/executor-core/dist/index.js');
const { planOf } = createRequire(import.meta.url)(
  '../../../packages/executor-core/dist/testing/index.js',
);

/** Relative error of what is believed about a duration: e to the 0.7 N. */
export const SIGMA = 0.7;

/** Name → `(graph, agents, seed) → makespan`. Ours are the real scheduler, played through. */
export const POLICIES = {
  'ours, exact': (graph, agents) => ours(graph, agents, (ms) => ms),
  [`ours, sigma ${SIGMA}`]: (graph, agents, seed) => {
    const random = randomOf(seed ^ 0x5eed);
    const believed = graph.tasks.map(({ ms }) => ms * Math.exp(SIGMA * normal(random)));
    return ours(graph, agents, (_, at) => believed[at]);
  },
  'ours, no history': (graph, agents) => ours(graph, agents, () => null),
  FIFO: (graph, agents) => listSchedule(graph, agents, fifo),
  'nx model, exact': (graph, agents) => listSchedule(graph, agents, nxOrder(graph)),
};

export function planOfGraph(graph, agents) {
  const sketches = graph.tasks.map(({ id, after, phase }) => [
    id,
    { dependsOn: after.map((other) => graph.tasks[other].id), phase, writes: [] },
  ]);
  return planOf(Object.fromEntries(sketches), { maxAgents: agents }, graph.phases);
}

function ours(graph, agents, believed) {
  const plan = planOfGraph(graph, agents);
  const expected = graph.tasks.map(({ ms }, at) => believed(ms, at));
  const { makespan, tasks } = core.predictRun(
    plan,
    ({ index }) => graph.tasks[index].ms,
    ({ index }) => expected[index],
  );
  if (tasks.length !== graph.tasks.length) throw new Error('The scheduler left tasks out.');
  return makespan;
}

/** First come, first served: whoever became ready first. */
function fifo(a, b) {
  return a.readyAt - b.readyAt || a.node - b.node;
}

/**
 * The order of Nx 23 (`tasks-schedule.js`): most direct dependants first, then the project that most
 * others depend on, then the longest known duration. Nothing waits for a barrier task in Nx; where the
 * graph has phases, each task depends on all of the phase before, as inferred targets do.
 */
function nxOrder(graph) {
  const nodes = nodesOf(graph);
  const direct = nodes.next.map(
    (list) => list.flatMap((node) => throughBarrier(nodes, node)).length,
  );
  const reach = nodes.next.map((_, node) => reachable(nodes, node));
  return (a, b) =>
    direct[b.node] - direct[a.node] ||
    reach[b.node] - reach[a.node] ||
    nodes.ms[b.node] - nodes.ms[a.node] ||
    a.readyAt - b.readyAt ||
    a.node - b.node;
}

function throughBarrier(nodes, node) {
  return node < nodes.count
    ? [node]
    : nodes.next[node].flatMap((next) => throughBarrier(nodes, next));
}

function reachable({ next, count }, from) {
  const seen = new Set(next[from]);
  for (const node of seen) for (const other of next[node]) seen.add(other);
  return [...seen].filter((node) => node < count).length;
}

/** Whenever an agent is free it takes the first ready task by `order`. */
function listSchedule(graph, agents, order) {
  const nodes = nodesOf(graph);
  const missing = nodes.before.map((list) => list.length);
  const running = [];
  let ready = [];
  let now = 0;
  const release = (node) => {
    if (node >= nodes.count) finish(node);
    else ready.push({ node, readyAt: now });
  };
  const finish = (node) => {
    for (const other of nodes.next[node]) if (--missing[other] === 0) release(other);
  };
  nodes.before.forEach((list, node) => list.length === 0 && release(node));
  for (;;) {
    ready.sort(order);
    while (running.length < agents && ready.length > 0) {
      const { node } = ready.shift();
      running.push({ node, end: now + nodes.ms[node] });
    }
    if (running.length === 0) return now;
    running.sort((a, b) => b.end - a.end);
    const done = running.pop();
    now = done.end;
    finish(done.node);
  }
}
