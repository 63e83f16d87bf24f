/**
 * Soak: 25 processes add and remove worktrees of one repository at once, as forked Nx executors do.
 * git itself fails at this in a tenth of the calls and more. Prints the failures; exit 1 when there is
 * one. Usage: npm run soak:worktrees -- [--rounds 40] [--processes 25]
 */
import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const core = (path) =>
  createRequire(import.meta.url)(`../../packages/executor-core/dist/${path}.js`);

/** Makes and removes `rounds` worktrees in slot `slot`; resolves with the messages of what failed. */
async function work(root, slot, rounds) {
  const fs = core('adapters/node-file-system').nodeFileSystem();
  const processes = core('adapters/node-processes').nodeProcesses();
  const pool = core('isolate/worktree-pool').createWorktreePool({
    git: core('adapters/simple-git').gitAdapter(),
    fs,
    files: core('adapters/node-file-tree').nodeFileTree(),
    mutex: core('adapters/lockfile-mutex').lockfileMutex(processes),
    clock: core('adapters/node-clock').nodeClock(),
    root,
    commonDir: join(root, '.git'),
    base: '.worktrees/',
    runId: 'PEXEC-1',
  });
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const failures = [];
  for (let round = 1; round <= rounds; round += 1) {
    try {
      const { path } = await pool.create({ slot, task: `round-${round}`, commit, token: round });
      const status = execFileSync('git', ['status', '--porcelain'], {
        cwd: path,
        encoding: 'utf8',
      });
      if (status !== '') throw new Error(`a fresh worktree is not clean: ${status}`);
      await pool.remove(path);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  await pool.close();
  return failures;
}

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
}

function makeRepository() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-soak-')));
  const git = (...args) => execFileSync('git', args, { cwd: root });
  git('init', '--quiet', '--initial-branch=main');
  for (let file = 0; file < 50; file += 1)
    writeFileSync(join(root, `file-${file}.txt`), `${file}\n`);
  git('add', '--all');
  git(
    '-c',
    'user.name=Soak',
    '-c',
    'user.email=soak@example.com',
    'commit',
    '--quiet',
    '-m',
    'first',
  );
  return root;
}

async function main() {
  const processes = option('processes', 25);
  const rounds = option('rounds', 40);
  const root = makeRepository();
  const started = Date.now();
  const all = await Promise.all(
    Array.from({ length: processes }, (_, at) => inChild([root, String(at + 1), String(rounds)])),
  );
  const failures = all.flat();
  const left = execFileSync('git', ['worktree', 'list'], { cwd: root, encoding: 'utf8' }).trim();
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    `${processes * rounds} worktrees added by ${processes} processes at once in ${seconds} s: ${failures.length} failed.`,
  );
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
  if (left.split('\n').length > 1) console.log(`Left behind:\n${left}`);
  rmSync(root, { recursive: true, force: true });
  process.exitCode = failures.length === 0 && left.split('\n').length === 1 ? 0 : 1;
}

function inChild(args) {
  return new Promise((done) => {
    const child = fork(fileURLToPath(import.meta.url), ['--worker', ...args]);
    let failures = ['the process ended without an answer'];
    child.on('message', (message) => (failures = message));
    child.once('exit', () => done(failures));
  });
}

if (process.argv[2] === '--worker') {
  const [root, slot, rounds] = process.argv.slice(3);
  const failures = await work(root, Number(slot), Number(rounds));
  process.send(failures, () => process.disconnect());
} else {
  await main();
}
