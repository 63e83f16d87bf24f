/**
 * Packs the packages, installs the tarballs into a fresh Nx workspace, the plugin under the alias
 * `parallel`, and runs there what a user types. Needs the npm registry; exits 1 at the first claim
 * that does not hold.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const repository = resolve(import.meta.dirname, '..');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-pack-')));
const workspace = join(folder, 'shop');
const { version: nxVersion } = JSON.parse(
  readFileSync(join(repository, 'node_modules/nx/package.json'), 'utf8'),
);
const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  HOME: folder,
  CI: 'true',
  NX_TUI: 'false',
};

/** Runs a command, echoes it, and returns its output; a non-zero exit throws. */
function run(command, args, cwd = workspace) {
  console.log(`$ ${command} ${args.join(' ')}`);
  try {
    return execFileSync(command, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    console.error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    throw new Error(`${command} ${args.join(' ')} failed with exit code ${error.status}`, {
      cause: error,
    });
  }
}

function claim(holds, text) {
  if (!holds) throw new Error(`Not true: ${text}`);
  console.log(`  ✓ ${text}`);
}

function makeWorkspace() {
  const write = (path, content) => {
    mkdirSync(join(workspace, path, '..'), { recursive: true });
    writeFileSync(join(workspace, path), content);
  };
  mkdirSync(workspace);
  write(
    'package.json',
    JSON.stringify({ name: 'shop', private: true, workspaces: ['packages/*'] }),
  );
  write('nx.json', JSON.stringify({ analytics: false, neverConnectToCloud: true }));
  write('.gitignore', 'node_modules\n.nx\n');
  for (const name of PROJECTS) {
    write(
      `packages/${name}/package.json`,
      JSON.stringify({
        name: `@shop/${name}`,
        version: '1.0.0',
        scripts: { test: 'node --test' },
      }),
    );
    write(`packages/${name}/index.js`, `exports.name = () => '${name}';\n`);
    write(
      `packages/${name}/index.test.js`,
      `const { test } = require('node:test');\ntest('has a name', () => require('node:assert').equal(require('./index.js').name(), '${name}'));\n`,
    );
  }
  write(
    'tools/add-version.mjs',
    `import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
const root = process.env.PARALLEL_WRITES.split('\\n')[0].replace('/**', '');
appendFileSync(join(root, 'index.js'), "exports.version = () => '2.0.0';\\n");
`,
  );
}

const PROJECTS = Array.from({ length: 25 }, (_, at) => `lib-${at + 1}`);

function install() {
  const tarballs = ['executor-core', 'nx-plugin', 'cli'].map((name) => {
    const output = run(
      'npm',
      ['pack', '--json', '--pack-destination', folder],
      join(repository, 'packages', name),
    );
    const [packed] = [JSON.parse(output)].flat();
    return join(folder, (packed ?? Object.values(JSON.parse(output))[0]).filename);
  });
  const [core, plugin, cli] = tarballs;
  run('npm', [
    'install',
    '--save-dev',
    '--no-audit',
    '--no-fund',
    `nx@${nxVersion}`,
    `@nx/devkit@${nxVersion}`,
    `@parallel-executor/core@file:${core}`,
    `parallel@file:${plugin}`,
    `parallel-cli@file:${cli}`,
  ]);
  const installed = join(workspace, 'node_modules/parallel-cli');
  claim(
    existsSync(join(installed, 'dist/third-party-licenses.txt')),
    'parallel-cli brings the licences of what it contains',
  );
}

const git = (...args) => run('git', args).trim();
const nx = (...args) => run('npx', ['nx', ...args]);
const landed = () =>
  PROJECTS.filter((name) =>
    readFileSync(join(workspace, `packages/${name}/index.js`), 'utf8').includes('2.0.0'),
  );
const journals = () =>
  readdirSync(join(workspace, '.parallel/runs')).map((run_) =>
    readFileSync(join(workspace, '.parallel/runs', run_, 'journal-000001.log'), 'utf8'),
  );
const agentsStarted = () => journals().join('').split('"type":"process:started"').length - 1;

/** While agents work in worktrees inside the workspace, Nx must see each project once. */
async function checkProjectsDuringRun() {
  const before = nx('show', 'projects', '--json');
  writeFileSync(
    join(workspace, 'wait.yaml'),
    `parallel_executor: { default_agent: waiter }\nagents: { waiter: { adapter: command, command: "sleep 120" } }\n` +
      `tasks: { one: { writes: [one] }, two: { writes: [two] } }\n`,
  );
  const child = spawn('npx', ['parallel-cli', 'run', '--plan', 'wait.yaml'], {
    cwd: workspace,
    env,
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.once('close', done));
  const ready = () =>
    ['agent-1', 'agent-2'].every((name) =>
      existsSync(join(workspace, '.worktrees', name, 'packages/lib-25/package.json')),
    );
  while (!ready() && child.exitCode === null) await sleep(50);
  claim(
    nx('show', 'projects', '--json') === before,
    'nx show projects lists nothing twice meanwhile',
  );
  claim(git('status', '--porcelain') === '?? wait.yaml', 'git status shows no worktree');
  run('npx', ['parallel-cli', 'kill', '--all']);
  await ended;
  claim(git('worktree', 'list').split('\n').length === 1, 'no worktree is left after a kill');
}

async function main() {
  makeWorkspace();
  install();
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Check');
  git('config', 'user.email', 'check@example.com');
  nx('g', 'parallel:init', '--skipPlan');
  nx(
    'g',
    'parallel:plan',
    '--projects=packages/*',
    '--prompt=Tell the version',
    '--command=node tools/add-version.mjs',
  );
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Plan');
  const planned = git('rev-parse', 'HEAD');
  nx('run-many', '-t', 'agent', '--parallel=25');
  claim(landed().length === PROJECTS.length, 'every agent’s work is on the branch');
  claim(git('status', '--porcelain') === '', 'the checkout is clean');
  claim(agentsStarted() === PROJECTS.length, 'one agent ran per task');
  const status = run('npx', ['parallel-cli', 'status']);
  claim(/Completed:\s+25/.test(status), 'parallel-cli status shows the run');
  const again = nx('run-many', '-t', 'agent', '--parallel=25');
  claim(
    /Nx read the output from the cache instead of running the command for (\d+) out of \1 tasks/.test(
      again,
    ),
    'a rerun is 100 % cache hits',
  );
  claim(agentsStarted() === PROJECTS.length, 'a rerun starts no agent');
  git('reset', '--quiet', '--hard', planned);
  rmSync(join(workspace, '.parallel/out'), { recursive: true });
  nx('run-many', '-t', 'agent', '--parallel=25');
  claim(
    landed().length === PROJECTS.length,
    'after a reset and without outputs a cached rerun lands the same change',
  );
  claim(agentsStarted() === PROJECTS.length, 'and starts no agent');
  claim(git('worktree', 'list').split('\n').length === 1, 'no worktree is left');
  await checkProjectsDuringRun();
  console.log('\nAll claims hold.');
}

try {
  await main();
  rmSync(folder, { recursive: true, force: true });
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : error}\nThe workspace is kept in ${workspace}`,
  );
  process.exitCode = 1;
}
