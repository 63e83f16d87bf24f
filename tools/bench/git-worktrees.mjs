// Ready worktrees of a repository of 27,000 files in 13,000 folders, made by the pool of the built core: sparse,
// overlay and full, beside `git worktree add` and `tar x`, the limit of the disk.
//   --full     25 full worktrees and 25 `git worktree add` instead of 5 of each, from which 25 are reckoned
//   --many N   overlays of the large round, 200 by default
// The machine may be shared: processor time, children included, stands beside the wall clock; gates are on the clock.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { tableText } from './lib/table.mjs';

const core = (path) =>
  createRequire(import.meta.url)(`../../packages/executor-core/dist/${path}.js`);
const PACKAGES = 130;
const FOLDERS = 100;
const FILES = 2;
const AGENTS = 25;
const FEW = 5;

/** Resolves with the number of gates that were missed. */
export async function benchWorktrees(words) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-bench-')));
  const bench = new Bench(folder);
  const clearAway = () => removeAll(folder);
  process.once('exit', clearAway);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  try {
    const full = words.includes('--full') ? AGENTS : FEW;
    const many = Number(words[words.indexOf('--many') + 1] ?? 200) || 200;
    const root = makeRepository(folder);
    const sparse = (slot) => ({ kind: 'sparse', cone: [`packages/p${slot}`] });
    await bench.pool(root, 'sparse', AGENTS, sparse, 2500);
    if ((await core('adapters/node-mounts').nodeMounts().problem(folder)) === null) {
      await bench.pool(root, 'overlay', AGENTS, () => ({ kind: 'overlay' }), 1000);
      await bench.pool(root, 'overlay', many, () => ({ kind: 'overlay' }), 40 * many);
    } else console.log('No overlay can be mounted here: not measured.');
    await bench.pool(root, 'full', full, () => ({ kind: 'full' }), null);
    bench.plainGit(root, full);
    bench.tar(root);
  } finally {
    bench.print();
    process.off('exit', clearAway);
    clearAway();
  }
  return bench.missed.length;
}

/** Also when it was stopped: no mount stays. */
function removeAll(folder) {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  for (const place of mounts.map((line) => line.split(' ')[1] ?? ''))
    if (place.startsWith(`${folder}/`)) execFileSync('umount', ['-l', place]);
  rmSync(folder, { recursive: true, force: true });
}

class Bench {
  rows = [];
  missed = [];

  constructor(folder) {
    this.folder = folder;
  }

  /** `gate`: most milliseconds until all are ready, on the wall clock. */
  async pool(root, kind, count, wayOf, gate) {
    const pool = makePool(root);
    const commit = git(root, 'rev-parse', 'HEAD');
    const slots = Array.from({ length: count }, (_, at) => at + 1);
    const create = (slot) =>
      pool.create({ slot, task: `task-${slot}`, commit, token: slot, way: wayOf(slot) });
    const before = freeBytes(root);
    if (kind === 'overlay') {
      // The checkout that all of them show is made once, with the first.
      const one = await measure(() => create(count + 1));
      await pool.remove(join(root, '.worktrees', `agent-${count + 1}`));
      this.add('its pinned checkout', 1, one, null);
    }
    const pinned = freeBytes(root);
    const made = await measure(() => Promise.all(slots.map(create)));
    const [first] = made.result;
    const status = git(first.path, 'status', '--porcelain');
    if (status !== '') throw new Error(`A fresh ${kind} worktree is not clean:\n${status}`);
    const disk = (kind === 'overlay' ? pinned : before) - freeBytes(root);
    this.add(`${count} ${kind}`, count, made, gate, disk);
    const removed = await measure(() =>
      Promise.all(made.result.map(({ path }) => pool.remove(path))),
    );
    this.add(`${count} ${kind}, given back`, count, removed, kind === 'full' ? null : 40 * count);
    await pool.close();
  }

  plainGit(root, count) {
    const paths = Array.from({ length: count }, (_, at) => join(this.folder, `plain-${at}`));
    const before = freeBytes(root);
    const made = measureNow(() => {
      for (const path of paths) git(root, 'worktree', 'add', '--quiet', '--detach', path);
    });
    this.add(`${count} git worktree add, one by one`, count, made, null, before - freeBytes(root));
    if (count === AGENTS) return;
    const reckoned = Object.entries(made).map(([key, ms]) => [key, (ms * AGENTS) / count]);
    this.add(
      `${AGENTS} of them, reckoned from ${count}`,
      AGENTS,
      Object.fromEntries(reckoned),
      null,
    );
  }

  tar(root) {
    const archive = join(this.folder, 'all.tar');
    git(root, 'archive', '--output', archive, 'HEAD');
    const target = join(this.folder, 'tar');
    mkdirSync(target);
    const made = measureNow(() => execFileSync('tar', ['-xf', archive, '-C', target]));
    this.add('1 tar x', 1, made, null);
  }

  add(what, count, { wallMs, cpuMs }, gate, disk = null) {
    const isMissed = gate !== null && wallMs > gate;
    if (isMissed) this.missed.push(`${what}: ${Math.round(wallMs)} ms > ${gate} ms`);
    const each = `${Math.round(wallMs / count)}`;
    const megabytes = disk === null ? '' : `${Math.round(disk / 1e6)}`;
    const row = [
      what,
      `${Math.round(wallMs)}`,
      `${Math.round(cpuMs)}`,
      each,
      megabytes,
      `${gate ?? ''}`,
      gate === null ? '' : isMissed ? 'missed' : 'met',
    ];
    this.rows.push(row);
    console.error(row.join('  '));
  }

  print() {
    const head = ['worktrees', 'wall ms', 'cpu ms', 'ms each', 'disk MB', 'gate ms', 'verdict'];
    console.log(
      `A repository of ${PACKAGES * FOLDERS * FILES} files in ${PACKAGES * FOLDERS} folders`,
    );
    console.log(tableText(head, this.rows));
    for (const missed of this.missed) console.error(`missed: ${missed}`);
  }
}

async function measure(work) {
  const [wall, cpu] = [performance.now(), cpuNow()];
  const result = await work();
  return { result, wallMs: performance.now() - wall, cpuMs: cpuNow() - cpu };
}

function measureNow(work) {
  const [wall, cpu] = [performance.now(), cpuNow()];
  work();
  return { wallMs: performance.now() - wall, cpuMs: cpuNow() - cpu };
}

/**
 * Milliseconds of this process, of its children that have ended, and of those that stay, with theirs; ticks of
 * 10 ms (proc(5)).
 */
function cpuNow() {
  const living = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = living.flatMap((pid) => {
    const fields = statOf(pid);
    return Number(fields[1]) === process.pid ? [fields] : [];
  });
  const ticks = [statOf('self'), ...children].flatMap((fields) => fields.slice(11, 15));
  return ticks.reduce((sum, some) => sum + 10 * Number(some), 0);
}

/** From the state on; empty for one that ended meanwhile. */
function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

/** Of the disk, whatever else writes to it; in bytes. */
function freeBytes(folder) {
  execFileSync('sync', ['-f', folder]);
  return Number(
    execFileSync('stat', ['-f', '-c', '%a %S', folder], { encoding: 'utf8' })
      .trim()
      .split(' ')
      .reduce((blocks, size) => BigInt(blocks) * BigInt(size)),
  );
}

/** One commit; the main checkout has its index and no files, which nobody reads. */
function makeRepository(folder) {
  const root = join(folder, 'repository');
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', root]);
  const parts = ['commit refs/heads/main\ncommitter bench <bench@localhost> 0 +0000\ndata 1\nx\n'];
  for (let at = 0; at < PACKAGES * FOLDERS * FILES; at += 1) {
    const [file, place] = [at % FILES, Math.floor(at / FILES)];
    const path = `packages/p${place % PACKAGES}/t${Math.floor(place / PACKAGES)}/f${file}.js`;
    const text = `export const value${at} = ${at};\n`.repeat(48);
    parts.push(`M 100644 inline ${path}\ndata ${text.length}\n${text}\n`);
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: root, input: parts.join('') });
  git(root, 'read-tree', 'HEAD');
  return root;
}

function makePool(root) {
  const processes = core('adapters/node-processes').nodeProcesses();
  return core('isolate/worktree-pool').createWorktreePool({
    git: core('adapters/simple-git').gitAdapter(),
    fs: core('adapters/node-file-system').nodeFileSystem(),
    files: core('adapters/node-file-tree').nodeFileTree(),
    mutex: core('adapters/lockfile-mutex').lockfileMutex(processes),
    mounts: core('adapters/node-mounts').nodeMounts(),
    clock: core('adapters/node-clock').nodeClock(),
    root,
    commonDir: join(root, '.git'),
    base: '.worktrees/',
    runId: 'PEXEC-1',
  });
}

function git(cwd, ...args) {
  return execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
}
