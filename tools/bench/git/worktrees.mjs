// Ready worktrees of a repository of 26,000 files in 13,000 folders, made by the pool of the built core: sparse,
// overlay and full, beside `git worktree add` one by one and `tar x`, the limit of the disk. Then 1,000 adds by 25
// processes at once in a small one.
//   --full     25 full worktrees and 25 `git worktree add` instead of 3 of each, from which 25 are reckoned
//   --many N   overlays of the large round, 200 by default
// The machine may be shared: processor time, of all processes, stands beside the wall clock; gates are on the clock.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { addAtOnce } from '../lib/concurrent-adds.mjs';
import { core } from '../lib/core.mjs';
import { measure } from '../lib/processor-time.mjs';
import { git, makeRepository, scratchFolder } from '../lib/repository.mjs';
import { tableText } from '../lib/table.mjs';
import { openPool, poolOptions } from '../lib/worktree-pool.mjs';

const PACKAGES = 130;
const FOLDERS = 100;
const FILES = 2;
const AGENTS = 25;
/** Of what is slow and all alike, unless all are asked for. */
const SAMPLE = 3;
const FULL = { kind: 'full' };
const OVERLAY = { kind: 'overlay' };
/** A thousand adds at once may fail never. */
const ADDS = { processes: 25, rounds: 40 };

/** Resolves with the number of gates that were missed. */
export async function benchWorktrees(words) {
  const folder = scratchFolder('bench');
  const bench = new Bench(folder);
  const clearAway = () => removeAll(folder);
  process.once('exit', clearAway);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  try {
    const many = Number(words[words.indexOf('--many') + 1]) || 200;
    const root = makeRepository(join(folder, 'repository'), files());
    await bench.pool(root, AGENTS, sparse, { ready: 2500, back: 1000 });
    if ((await core('adapters/node-mounts').nodeMounts().problem(folder)) === null) {
      await bench.pool(root, AGENTS, () => OVERLAY, { ready: 1000, back: 1000 });
      await bench.pool(root, many, () => OVERLAY, { ready: 40 * many, back: null });
    } else console.log('No overlay can be mounted here: not measured.');
    const full = words.includes('--full') ? AGENTS : SAMPLE;
    await bench.pool(root, full, () => FULL, { ready: null, back: null });
    await bench.plainGit(root, full);
    await bench.tar(root);
    await bench.atOnce();
  } finally {
    bench.print();
    process.off('exit', clearAway);
    clearAway();
  }
  return bench.missed.length;
}

const sparse = (slot) => ({ kind: 'sparse', cone: [`packages/p${slot}`] });

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

  /** `gates`: most milliseconds on the wall clock until all are ready, and until all are given back. */
  async pool(root, count, wayOf, gates) {
    const pool = openPool(poolOptions(root));
    const commit = git(root, 'rev-parse', 'HEAD');
    const slots = Array.from({ length: count }, (_, at) => at + 1);
    const create = (slot) =>
      pool.create({ slot, task: `task-${slot}`, commit, token: slot, way: wayOf(slot) });
    const { kind } = wayOf(1);
    const what = `${count} ${kind}`;
    if (kind === 'overlay') {
      // The checkout that all of them show is made once, with the first.
      const before = freeBytes(root);
      const { result, ...one } = await measure(() => create(count + 1));
      this.add('1 overlay and the checkout they show', 1, one, null, before - freeBytes(root));
      await pool.remove(result.path);
    }
    const before = freeBytes(root);
    const made = await measure(() => Promise.all(slots.map(create)));
    const paths = made.result.map(({ path }) => path);
    const status = git(paths[0], 'status', '--porcelain');
    if (status !== '') throw new Error(`A fresh ${kind} worktree is not clean:\n${status}`);
    const disk = before - freeBytes(root);
    this.add(what, count, made, gates.ready, disk);
    if (kind === 'full') this.reckon(count, made, disk);
    const removed = await measure(() => Promise.all(paths.map((path) => pool.remove(path))));
    this.add(`${what}, given back`, count, removed, gates.back);
    // What is still being deleted would slow down what is measured next.
    const deleted = await measure(async () => {
      await pool.close();
      await noTrash(root);
    });
    this.add(`${what}, deleted in the background`, count, deleted, null);
  }

  async plainGit(root, count) {
    const paths = Array.from({ length: count }, (_, at) => join(this.folder, `plain-${at}`));
    const before = freeBytes(root);
    const made = await measure(() => {
      for (const path of paths) git(root, 'worktree', 'add', '--quiet', '--detach', path);
    });
    const disk = before - freeBytes(root);
    this.add(`${count} git worktree add, one by one`, count, made, null, disk);
    this.reckon(count, made, disk);
  }

  async tar(root) {
    const archive = join(this.folder, 'all.tar');
    git(root, 'archive', '--output', archive, 'HEAD');
    const target = join(this.folder, 'tar');
    mkdirSync(target);
    const made = await measure(() => execFileSync('tar', ['-xf', archive, '-C', target]));
    this.add('1 tar x', 1, made, null);
  }

  async atOnce() {
    const count = ADDS.processes * ADDS.rounds;
    const { result, ...times } = await measure(() => addAtOnce(ADDS));
    const failed = result.failures.length + result.left.length;
    if (failed > 0) this.missed.push([...result.failures, ...result.left].join('\n'));
    const what = `${count} adds by ${ADDS.processes} processes at once: ${failed} failures`;
    this.add(what, count, times, null);
  }

  /** A row for as many as there are agents, from one of fewer. */
  reckon(count, { wallMs, cpuMs }, disk) {
    if (count >= AGENTS) return;
    const times = AGENTS / count;
    const all = { wallMs: wallMs * times, cpuMs: cpuMs * times };
    this.add(`  ${AGENTS} of them, reckoned`, AGENTS, all, null, disk * times);
  }

  add(what, count, { wallMs, cpuMs }, gate, disk = null) {
    const isMissed = gate !== null && wallMs > gate;
    if (isMissed) this.missed.push(`${what}: ${Math.round(wallMs)} ms > ${gate} ms`);
    const row = [
      what,
      `${Math.round(wallMs)}`,
      `${Math.round(cpuMs)}`,
      `${Math.round(wallMs / count)}`,
      disk === null ? '' : `${Math.round(disk / 1e6)}`,
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

/** Resolves when nothing that was given back is left to be deleted. */
async function noTrash(root) {
  const folders = ['.worktrees/.trash', '.git/parallel/trash'].map((path) => join(root, path));
  while (folders.some((path) => readdirSync(path).length > 0)) await setTimeout(20);
}

/** Of the disk, whatever else writes to it; in bytes. */
function freeBytes(folder) {
  execFileSync('sync', ['-f', folder]);
  const [blocks, size] = execFileSync('stat', ['-f', '-c', '%a %S', folder], { encoding: 'utf8' })
    .trim()
    .split(' ')
    .map(Number);
  return blocks * size;
}

function* files() {
  for (let at = 0; at < PACKAGES * FOLDERS * FILES; at += 1) {
    const [file, place] = [at % FILES, Math.floor(at / FILES)];
    const path = `packages/p${place % PACKAGES}/t${Math.floor(place / PACKAGES)}/f${file}.js`;
    yield [path, `export const value${at} = ${at};\n`.repeat(48)];
  }
}
