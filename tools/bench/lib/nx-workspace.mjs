import { performance } from 'node:perf_hooks';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATORS, lowerBound, nodesOf } from './dags.mjs';
import { POLICIES, SIGMA } from './policies.mjs';

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const SIZE = 40;
const KINDS = ['layered', 'random-predecessor', 'fork-join'];
const AGENTS = [5, 10];

/** One row for each graph and number of agents; `nx run-many` really runs. */
export async function nxRows() {
  return KINDS.flatMap((kind) => {
    const graph = scaled(GENERATORS[kind](SIZE, 4242));
    const root = makeWorkspace(graph);
    try {
      return AGENTS.map((agents) => {
        const bound = lowerBound(graph, agents);
        const ratios = [
          runNx(root, agents),
          POLICIES['nx model, exact'](graph, agents, 1),
          POLICIES[`ours, sigma ${SIGMA}`](graph, agents, 1),
        ].map((ms) => (ms / bound).toFixed(3));
        return [`${kind} (bound ${Math.round(bound)} ms)`, agents, ...ratios];
      });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** Durations from 100 to 400 ms, in the order of the original ones. */
function scaled(graph) {
  const sorted = graph.tasks.map(({ ms }) => ms).sort((a, b) => a - b);
  const rank = (ms) => sorted.indexOf(ms) / (sorted.length - 1);
  return {
    ...graph,
    tasks: graph.tasks.map((task) => ({ ...task, ms: Math.round(100 + 300 * rank(task.ms)) })),
  };
}

function makeWorkspace(graph) {
  const root = mkdtempSync(join(tmpdir(), 'bench-nx-'));
  symlinkSync(MODULES, join(root, 'node_modules'));
  writeFileSync(join(root, 'package.json'), '{"name":"bench","private":true}');
  writeFileSync(join(root, 'nx.json'), '{"analytics":false}');
  const { before, count } = nodesOf(graph);
  const needs = (node) =>
    before[node].flatMap((other) => (other < count ? [graph.tasks[other].id] : needs(other)));
  graph.tasks.forEach(({ id, ms }, at) => {
    const folder = join(root, 'projects', id);
    mkdirSync(folder, { recursive: true });
    const projects = needs(at);
    const project = {
      name: id,
      implicitDependencies: projects,
      targets: {
        nap: {
          command: `sleep ${ms / 1000}`,
          dependsOn: projects.length > 0 ? [{ projects, target: 'nap' }] : [],
        },
      },
    };
    writeFileSync(join(folder, 'project.json'), JSON.stringify(project));
  });
  spawnSync('git', ['init', '-q'], { cwd: root });
  return root;
}

/** Wall clock of `nx run-many` in ms, start-up and all. */
function runNx(root, agents) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(MODULES, 'nx/dist/bin/nx.js'),
      'run-many',
      '-t',
      'nap',
      `--parallel=${agents}`,
      '--skip-nx-cache',
      '--outputStyle=static',
    ],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false', CI: 'true' },
    },
  );
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`nx run-many ended with ${status}:\n${stdout}\n${stderr}`);
  return ms;
}
