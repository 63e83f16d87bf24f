import { between, normal, randomOf } from './random.mjs';

const MEDIAN_MS = 8 * 60_000;
const SPREAD = 0.8;

/**
 * Seeded task graphs: `{ name, phases, tasks: [{ id, after: [index], phase, ms }] }`. Durations are
 * log-normal with a median of 8 minutes. `after` names earlier tasks only.
 */
export const GENERATORS = {
  /** Layers; each task waits for one to three of the layer before. */
  layered(size, seed) {
    const random = randomOf(seed);
    const layers = between(random, Math.ceil(size / 25), Math.ceil(size / 10));
    const layerOf = Array.from({ length: size }, (_, at) => Math.floor((at * layers) / size));
    return dag('layered', random, size, (at) => {
      const before = layerOf.flatMap((layer, other) => (layer === layerOf[at] - 1 ? [other] : []));
      return pick(random, before, between(random, 1, 3));
    });
  },
  /** Each task waits for up to three of all the tasks before it (as in the Standard Task Graph set). */
  'random-predecessor'(size, seed) {
    const random = randomOf(seed);
    return dag('random-predecessor', random, size, (at) => {
      const before = Array.from({ length: at }, (_, other) => other);
      return pick(random, before, between(random, 0, 3));
    });
  },
  /** Phases with a barrier after each. */
  'fork-join'(size, seed) {
    const random = randomOf(seed);
    const phases = [];
    const phaseOf = [];
    while (phaseOf.length < size) {
      const width = Math.min(between(random, 10, 40), size - phaseOf.length);
      phases.push(`phase-${phases.length + 1}`);
      for (let at = 0; at < width; at += 1) phaseOf.push(phases.at(-1));
    }
    return {
      ...dag(
        'fork-join',
        random,
        size,
        () => [],
        (at) => phaseOf[at],
      ),
      phases,
    };
  },
  /** Chains that do not touch each other. */
  chains(size, seed) {
    const random = randomOf(seed);
    const count = between(random, Math.ceil(size / 20), Math.ceil(size / 6));
    return dag('chains', random, size, (at) => (at < count ? [] : [at - count]));
  },
};

function dag(name, random, size, after, phase = () => null) {
  const tasks = Array.from({ length: size }, (_, at) => ({
    id: `t${at}`,
    after: after(at),
    phase: phase(at),
    ms: Math.max(1, MEDIAN_MS * Math.exp(SPREAD * normal(random))),
  }));
  return { name, phases: [], tasks };
}

function pick(random, from, count) {
  const picked = new Set();
  while (picked.size < Math.min(count, from.length))
    picked.add(from[between(random, 0, from.length - 1)]);
  return [...picked].sort((a, b) => a - b);
}

/**
 * The graph with its barriers as tasks of no length: predecessors and successors of each node, the first
 * `tasks.length` nodes being the tasks.
 */
export function nodesOf({ tasks, phases }) {
  const barrier = (phase) => tasks.length + phase;
  const before = tasks.map(({ after, phase }) => {
    const index = phases.indexOf(phase);
    return index > 0 ? [...after, barrier(index - 1)] : [...after];
  });
  phases.slice(0, -1).forEach((name, index) => {
    const members = tasks.flatMap((task, at) => (task.phase === name ? [at] : []));
    before.push(index > 0 ? [...members, barrier(index - 1)] : members);
  });
  const next = before.map(() => []);
  before.forEach((list, node) => list.forEach((other) => next[other].push(node)));
  const missing = before.map((list) => list.length);
  const order = missing.flatMap((count, node) => (count === 0 ? [node] : []));
  for (const node of order) {
    for (const other of next[node]) if (--missing[other] === 0) order.push(other);
  }
  const ms = before.map((_, node) => tasks[node]?.ms ?? 0);
  return { before, next, order, ms, count: tasks.length };
}

/** Longest path before each node (`heads`) and after it (`tails`), itself not included. */
export function pathsOf({ before, next, order, ms }) {
  const heads = ms.map(() => 0);
  const tails = ms.map(() => 0);
  for (const node of order) {
    for (const other of before[node]) heads[node] = Math.max(heads[node], heads[other] + ms[other]);
  }
  for (const node of [...order].reverse()) {
    for (const other of next[node]) tails[node] = Math.max(tails[node], tails[other] + ms[other]);
  }
  return { heads, tails };
}

/**
 * No schedule on `agents` agents is shorter: the critical path; all work shared; and for every pair of a
 * head and a tail the tasks that cannot start before the one nor end within the other, shared.
 */
export function lowerBound(graph, agents) {
  const nodes = nodesOf(graph);
  const { heads, tails } = pathsOf(nodes);
  const tasks = Array.from({ length: nodes.count }, (_, at) => at);
  let bound = Math.max(...tasks.map((at) => heads[at] + nodes.ms[at] + tails[at]));
  const byTail = [...tasks].sort((a, b) => tails[b] - tails[a]);
  for (const head of new Set(tasks.map((at) => heads[at]))) {
    let work = 0;
    for (const at of byTail) {
      if (heads[at] < head) continue;
      work += nodes.ms[at];
      bound = Math.max(bound, head + work / agents + tails[at]);
    }
  }
  return bound;
}
