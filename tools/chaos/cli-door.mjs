import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const CLI = resolve(import.meta.dirname, '../../packages/cli/bin/parallel-cli.js');
const { openWorkspace } = createRequire(import.meta.url)('../../packages/executor-core');

/** The command line: `run`, and `resume` after a kill. */
export function cliDoor(root, agents) {
  let begun = false;
  return {
    /** Starts the run or goes on with it, with `extra` in the environment; see `launch`. */
    start(extra = {}) {
      const words = begun ? ['resume'] : ['run', `--agents=${agents}`];
      const launched = launch([CLI, ...words, '--progress=json'], root, extra);
      void launched.taken.then((taken) => (begun ||= taken !== null));
      return { ...launched, resumes: begun };
    },
    /** Every event of the journal, or `null` when it cannot be read. */
    async events() {
      const reader = await (await openWorkspace(root)).reader();
      return reader === null ? null : reader.events();
    },
  };
}

/**
 * A started engine. `taken`: resolves with the ms until it drove the run, or `null` when it ended
 * before; `ended`: with its exit code (`null`: killed) and what it said last.
 */
function launch(args, cwd, extra) {
  const since = performance.now();
  const env = { ...cleanEnvironment(), ...extra };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2000)));
  const lines = createInterface({ input: child.stdout });
  const taken = new Promise((done) => {
    lines.on('line', (line) => {
      if (/"type":"run:(?:resumed|started)"/.test(line)) done(performance.now() - since);
    });
    child.once('close', () => done(null));
  });
  const ended = new Promise((done) => {
    child.once('close', (code) => done({ code, said }));
  });
  return { pid: child.pid, taken, ended };
}

function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:PARALLEL|NX|GIT)_/.test(name)),
  );
}
