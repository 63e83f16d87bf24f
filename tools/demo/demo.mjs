/**
 * The demo: 25 agents change 25 libraries of a real Nx workspace at once, and every claim about the
 * result is checked. No network, no model: the agent is a codemod that waits a few seconds, as a model
 * would. Exit 0 when every claim holds. Options: --nx does the same through `nx run-many` as well, with
 * a rerun from the cache; --keep leaves the workspaces.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createChecks } from './checks.mjs';
import { CHANGED, makeWorkspace, TASKS } from './make-workspace.mjs';
import { PROJECTS } from './projects.mjs';
import { thinkingTime } from './workspace/thinking-time.mjs';

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CLI = join(REPOSITORY, 'packages/cli/bin/parallel-cli.js');
const KEEP = process.argv.includes('--keep');
const WITH_NX = process.argv.includes('--nx');
const BAD_INPUT = { number: '1', string: 1, 'number[]': ['1'], 'string[]': [1] };

const started = Date.now();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-demo-')));
const checks = createChecks();
try {
  await commandLineDoor(join(folder, 'cli'));
  if (WITH_NX) await nxDoor(join(folder, 'nx'));
} finally {
  if (KEEP) console.log(`\nThe workspaces are in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
const seconds = Math.round((Date.now() - started) / 1000);
const { refuted } = checks;
console.log(
  refuted.length === 0
    ? `\nEvery claim holds (${seconds} s).`
    : `\n${refuted.length} claim(s) do not hold (${seconds} s):\n  ${refuted.join('\n  ')}`,
);
process.exitCode = refuted.length === 0 ? 0 : 1;

async function commandLineDoor(root) {
  title(`parallel-cli run --agents=25: ${TASKS} tasks in ${PROJECTS.length} libraries`);
  const shop = open(root);
  const run = shop.node([CLI, 'run', '--agents=25', '--progress=plain', '--json'], {
    show: 'stderr',
  });
  checks.claim('the run ends with exit code 0', run.status === 0, `exit ${run.status}`);
  const execution = parseJson(run.stdout)?.parallel_execution;
  checks.claim('stdout is one JSON object with parallel_execution', execution !== undefined);
  if (execution !== undefined) reportExecution(execution, shop);
  await checkLanded(shop);
  checkClean(shop);
}

function reportExecution(execution, shop) {
  const { tasks, timing, resources } = execution;
  const thinking = CHANGED.reduce((sum, { name }) => sum + thinkingTime(`packages/${name}`), 0);
  const wall = timing.total_duration_ms;
  console.log(`  run ${execution.id}: ${tasks.completed} of ${tasks.total} tasks landed`);
  console.log(
    `  ${inSeconds(wall)} with ${resources.peak_concurrency} agents at the peak. One after the other the ` +
      `agents would wait ${inSeconds(thinking)} for their model alone: ${(thinking / wall).toFixed(1)}x`,
  );
  console.log(
    `  the run's own estimate, with set-up, checks and landing: ${timing.speedup_factor}x ` +
      `(${inSeconds(timing.sequential_estimate_ms)})`,
  );
  const landed = tasks.completed === TASKS && tasks.failed === 0;
  checks.claim(`all ${TASKS} tasks are completed`, landed, JSON.stringify(tasks));
  const peak = resources.peak_concurrency;
  checks.claim('more than ten agents ran at once', peak > 10, `${peak}`);
  checks.claim('the run was faster than the thinking alone', wall < thinking, inSeconds(wall));
  const report = join(shop.root, '.parallel/runs', execution.id, 'report');
  const files = existsSync(report) ? readdirSync(report) : [];
  checks.claim('there is a report', files.includes('result.json'), report);
  console.log(`  report: ${report}: ${files.join(', ')}`);
}

async function nxDoor(root) {
  title('nx run-many -t agent --parallel=25: the same plan, scheduled by Nx');
  const shop = open(root);
  const first = shop.nx('run-many', '-t', 'agent', '--parallel=25');
  checks.claim('nx ends with exit code 0', first.status === 0, `exit ${first.status}`);
  await checkLanded(shop);
  checkClean(shop);

  title('The same nx command again');
  const head = shop.git('rev-parse', 'HEAD');
  const agents = agentRuns(shop);
  const again = shop.nx('run-many', '-t', 'agent', '--parallel=25');
  checks.claim('nx ends with exit code 0', again.status === 0, `exit ${again.status}`);
  const [, hits, all] = /(\d+)\/(\d+) hit \(100%\)/.exec(again.stdout) ?? [];
  checks.claim(
    'every task is a cache hit',
    hits !== undefined && hits === all,
    lastLines(again.stdout, 12),
  );
  checks.claim('no agent ran', agentRuns(shop) === agents);
  checks.claim('nothing lands twice', shop.git('rev-parse', 'HEAD') === head);

  title('A fresh branch from the old commit: the work comes back from the cache');
  shop.git('checkout', '--quiet', '-b', 'replay', shop.first);
  const before = agentRuns(shop);
  const replay = shop.nx('run-many', '-t', 'agent', '--parallel=25');
  checks.claim('nx ends with exit code 0', replay.status === 0, `exit ${replay.status}`);
  checks.claim('no agent ran', agentRuns(shop) === before);
  await checkLanded(shop);
  checkClean(shop);
}

/** How many attempts of agents left a transcript, in all runs so far. */
function agentRuns({ root }) {
  const runs = join(root, '.parallel/runs');
  if (!existsSync(runs)) return 0;
  return readdirSync(runs, { recursive: true }).filter((path) => path.endsWith('transcript.log'))
    .length;
}

async function checkLanded({ root, first, git }) {
  const log = git('log', '--oneline', `${first}..HEAD`).split('\n').filter(Boolean);
  console.log(`  git log: ${log.length} new commits`);
  for (const line of log.slice(0, 5)) console.log(`    ${line}`);
  const changed = new Set(git('diff', '--name-only', first, 'HEAD').split('\n').filter(Boolean));
  const expected = CHANGED.flatMap(({ name }) => [
    `packages/${name}/src/index.js`,
    `packages/${name}/test/validation.test.js`,
  ]);
  const right = changed.size === expected.length && expected.every((path) => changed.has(path));
  checks.claim(
    'exactly the declared files changed',
    right,
    `${changed.size} of ${expected.length}`,
  );
  const tests = spawnSync(process.execPath, ['--test'], { cwd: root, encoding: 'utf8' });
  checks.claim(
    'all tests of the landed tree pass',
    tests.status === 0,
    lastLines(tests.stdout, 10),
  );
  const silent = await functionsThatTakeAnything(root);
  checks.claim('every changed function refuses bad input', silent.length === 0, silent.join(', '));
}

/** Names of the functions that were to check their input and do not, found by calling them. */
async function functionsThatTakeAnything(root) {
  const silent = [];
  for (const { name, functions } of CHANGED) {
    const file = pathToFileURL(join(root, 'packages', name, 'src/index.js'));
    const library = await import(`${file.href}?at=${Date.now()}`);
    for (const { doc, code } of functions) {
      const called = /function (\w+)/.exec(code)[1];
      const types = [...doc.matchAll(/\{(.+?)\}/g)].map(([, type]) => type);
      if (!throwsTypeError(() => library[called](...types.map((type) => BAD_INPUT[type])))) {
        silent.push(`${name}.${called}`);
      }
    }
  }
  return silent;
}

function throwsTypeError(call) {
  try {
    call();
    return false;
  } catch (error) {
    return error instanceof TypeError && /must be/.test(error.message);
  }
}

function checkClean({ git, branch }) {
  checks.claim(
    'the checkout is clean',
    git('status', '--porcelain') === '',
    git('status', '--short'),
  );
  const worktrees = git('worktree', 'list', '--porcelain').match(/^worktree /gm) ?? [];
  checks.claim('no worktree is left', worktrees.length === 1, `${worktrees.length}`);
  const leftover = git('branch', '--list', '--format=%(refname:short)', 'agent-*');
  checks.claim('no agent branch is left', leftover === '', leftover);
  checks.claim('HEAD is still on its branch', branch().length > 0, 'detached');
}

/** A fresh workspace and the ways to act on it. */
function open(root) {
  mkdirSync(root, { recursive: true });
  makeWorkspace(root);
  const env = environment(join(root, '..', 'home'));
  const node = (args, { show = 'none' } = {}) => {
    const stdio = ['ignore', 'pipe', show === 'stderr' ? 'inherit' : 'pipe'];
    return spawnSync(process.execPath, args, {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio,
      maxBuffer: 1 << 26,
    });
  };
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  const nx = (...args) => {
    const result = node([join(root, 'node_modules/nx/dist/bin/nx.js'), ...args]);
    console.log(indent(lastLines(result.stdout, result.status === 0 ? 9 : 60)));
    if (result.status !== 0) console.log(indent(lastLines(result.stderr, 40)));
    return result;
  };
  return {
    root,
    node,
    nx,
    git,
    branch: () => git('branch', '--show-current'),
    first: git('rev-parse', 'HEAD'),
  };
}

/** Ours without what an outer Nx or git set, with a HOME of its own (Nx keeps its cache there). */
function environment(home) {
  mkdirSync(home, { recursive: true });
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NX_|GIT_|PARALLEL_)/.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    HOME: home,
    NX_DAEMON: 'false',
    NX_NO_CLOUD: 'true',
    NX_TUI: 'false',
    npm_config_update_notifier: 'false',
  };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inSeconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function lastLines(text, count) {
  return (text ?? '').trim().split('\n').slice(-count).join('\n');
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '    ');
}

function title(text) {
  console.log(`\n${text}`);
}
