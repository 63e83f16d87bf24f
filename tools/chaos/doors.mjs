import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const CLI = resolve(import.meta.dirname, '../../packages/cli/bin/parallel-cli.js');
const { openWorkspace } = createRequire(import.meta.url)('../../packages/executor-core');

/**
 * The command line: `run`, and `resume` after a kill. A door starts the engine, or goes on with what
 * it had begun, and tells the events of all runs (`null`: a journal cannot be read).
 */
export function cliDoor(root, agents) {
  let begun = false;
  let failed = false;
  return {
    start(extra = {}) {
      const again = failed ? ['retry', '--all'] : ['resume'];
      const words = begun ? again : ['run', `--agents=${agents}`];
      const launched = launch([CLI, ...words, '--progress=json'], root, extra);
      void launched.taken.then((taken) => (begun ||= taken !== null));
      void launched.ended.then(({ code }) => (failed = code === 1));
      return { ...launched, resumes: begun };
    },
    events: () => eventsOf(root),
  };
}

/**
 * Nx with forked executors, or with one process for all (`more`): after a kill the same command again, as
 * a person would type it.
 */
export function nxDoor(root, agents, more = []) {
  const home = join(root, '..', 'home');
  mkdirSync(home, { recursive: true });
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const own = {
    HOME: home,
    NX_DAEMON: 'false',
    NX_TUI: 'false',
    CI: 'true',
    NO_COLOR: '1',
    NX_VERBOSE_LOGGING: 'true',
  };
  return {
    start: (extra = {}) => {
      const words = ['run-many', '-t', 'agent', `--parallel=${agents}`, ...more];
      return { ...launch([nx, ...words], root, { ...own, ...extra }), resumes: false };
    },
    events: () => eventsOf(root),
  };
}

/** By the name of `--door`. */
export const DOORS = {
  cli: cliDoor,
  nx: nxDoor,
  batch: (root, agents) => nxDoor(root, agents, ['--batch']),
};

async function eventsOf(root) {
  const workspace = await openWorkspace(root);
  const all = [];
  const runs = join(root, '.parallel/runs');
  for (const run of existsSync(runs) ? readdirSync(runs).sort() : []) {
    const reader = await workspace.reader(run);
    if (reader === null) return null;
    all.push(...(await reader.events()));
  }
  return all;
}

/**
 * A started engine. `taken`: resolves with the ms until it drove the run, `works`: until its first agent was
 * at work or work landed, both with `null` when it ended before; `ended`: with its exit code (`null`: killed) and what it said last.
 */
function launch(args, cwd, extra) {
  const since = performance.now();
  const env = { ...cleanEnvironment(), ...extra };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2000)));
  const lines = createInterface({ input: child.stdout });
  const seen = (type) =>
    new Promise((done) => {
      lines.on('line', (line) => {
        if (type.test(line)) done(performance.now() - since);
      });
      child.once('exit', () => done(null));
    });
  const taken = seen(/"type":"run:(?:resumed|started)"/);
  const works = seen(/"type":"(?:process:started|task:merging|task:landed)"/);
  const ended = new Promise((done) => {
    // Not "close": what it started may hold its output, and live on.
    child.once('exit', (code) => done({ code, said }));
  });
  return { pid: child.pid, taken, works, ended };
}

function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:PARALLEL|NX|GIT)_/.test(name)),
  );
}
