/**
 * Chaos: runs of real agents on real repositories, killed, stopped and starved at random, and what must
 * hold at the end read from git, the journal and the agents' own log. Ends with 1 when anything is lost.
 * Recovery counts from the start of `resume` until the run works again: the first agent is at work (or a
 * landing, where none is to start).
 * Usage: npm run chaos -- [--rounds 10] [--seed N] [--kills 10] [--agents 25] [--tasks 25] [--files 200]
 *                         [--total-kills N] (as many rounds as that takes)
 *                         [--think S] (an agent takes up to S seconds more)
 *                         [--door cli|nx|batch|all] (nx: executors forked by `nx run-many`; batch: one process;
 *                         all: of four rounds two through the CLI and one through each of the others)
 *                         [--kind 'full disk'|'failing disk'|clock|kills] (every round of this kind)
 *                         [--keep] (leave the repository of a round that failed)
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DOORS } from './doors.mjs';
import { DISK_FAULTS, failingDisk, FAULTS, jumpingClock } from './faults.mjs';
import { examine, LOST } from './invariants.mjs';
import { processesWith, signal } from './processes.mjs';
import { createRandom } from './random.mjs';
import { makeWorld } from './world.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    kills: { type: 'string', default: '10' },
    agents: { type: 'string', default: '25' },
    tasks: { type: 'string', default: '25' },
    files: { type: 'string', default: '200' },
    door: { type: 'string', default: 'cli' },
    think: { type: 'string', default: '0' },
    'total-kills': { type: 'string' },
    kind: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
/** A run that has not ended by itself after this long never will. */
const PATIENCE_MS = 180_000;
/** A tmpfs this large holds the repository, the worktrees and little more. */
const DISK_BYTES = 96 * 2 ** 20;
const ALL_DOORS = ['nx', 'cli', 'batch', 'cli'];
const number = (name) => Number(values[name]);
const random = createRandom(number('seed'));
const total = { kills: 0, redone: 0, recoveries: [], broken: [] };
const wanted = values['total-kills'] === undefined ? null : number('total-kills');

console.log(
  `seed ${values.seed}: ${wanted === null ? `${values.rounds} rounds` : `${wanted} kills`}, ` +
    `${values.tasks} tasks, ${values.agents} agents, ${values.files} files`,
);
const isOver = (round) => (wanted === null ? round > number('rounds') : total.kills >= wanted);
for (let round = 1; !isOver(round); round += 1) await playRound(round);
report();

async function playRound(round) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-chaos-')));
  const kind = values.kind ?? kindOf(round);
  const disk = kind === 'full disk' ? mountDisk(folder) : null;
  const place = join(folder, 'disk');
  const through = values.door === 'all' ? (ALL_DOORS[round % 4] ?? 'cli') : values.door;
  const world = makeWorld(join(place, 'repository'), {
    files: number('files'),
    tasks: number('tasks'),
    think: number('think'),
    nx: through !== 'cli',
  });
  const door = DOORS[through](world.root, number('agents'));
  const told = { kills: 0, faults: [], recoveries: [] };
  let problems;
  try {
    const failure = await torture(world, door, { kind, disk, place, told });
    const { broken, redone } = await examine(world, door);
    problems = failure === null ? broken : [failure, ...broken];
    total.redone += redone;
  } catch (error) {
    problems = [`the examination failed: ${error.stack}`];
  }
  total.kills += told.kills;
  total.recoveries.push(...told.recoveries);
  const name = `round ${round} (${through}, ${kind})`;
  total.broken.push(...problems.map((problem) => `${name}: ${problem}`));
  console.log(
    `${name}: ${told.kills} kills, ${problems.length === 0 ? 'all holds' : problems.slice(0, 5).join('; ')}`,
  );
  if (problems.length > 0) console.log(`  ${told.faults.join('\n  ')}`);
  for (const pid of processesWith(`PARALLEL_ROOT=${world.root}`)) signal(pid, 'SIGKILL');
  if (problems.length > 0 && values.keep) console.log(`  the repository is ${world.root}`);
  else {
    if (disk !== null) execFileSync('umount', ['--lazy', disk]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Every tenth round has a disk that fills up, a failing one, or a clock that jumps, where that can be had. */
function kindOf(round) {
  const kinds = { 3: 'full disk', 6: 'failing disk', 9: 'clock' };
  return kinds[round % 10] ?? 'kills';
}

/** Starts the engine again and again until it ends by itself; a text when it does not end well. */
async function torture(world, door, { kind, disk, place, told }) {
  const clock = kind === 'clock' ? jumpingClock(join(place, 'clock'), random) : null;
  const faults = disk === null ? FAULTS : [...FAULTS, ...DISK_FAULTS];
  let left = number('kills');
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
    const failing = kind === 'failing disk' && left > 0 ? failingDisk() : null;
    const engine = door.start({ ...clock?.env, ...failing });
    void engine.works.then((ms) => {
      if (engine.resumes && ms !== null && clock === null) told.recoveries.push(ms);
    });
    let dead = false;
    while (!dead) {
      const patience = left > 0 ? momentOf() : Math.max(0, deadline - performance.now());
      const ended = await Promise.race([engine.ended, delay(patience, null, { ref: false })]);
      if (ended !== null) {
        if (ended.code === 0) return null;
        // It may give up when its git, its agents or its disk are taken away, but not fall apart.
        if (failing === null && /Internal error/.test(ended.said)) return ended.said;
        left = Math.max(0, left - 1);
        told.faults.push(`gave up (${ended.code}): ${lastWords(ended.said)}`);
        break;
      }
      if (left === 0) {
        signal(engine.pid, 'SIGKILL');
        break;
      }
      left -= 1;
      clock?.jump();
      const fault = random.pick(faults);
      told.faults.push(fault.name);
      told.kills += 1;
      dead = await fault.strike(engine.pid, { root: world.root, random, disk });
    }
    if (dead) await engine.ended;
  }
  return `it did not end within ${PATIENCE_MS / 1000} s`;
}

/** What it said of why it ended: the line that names an error, else the last one. */
function lastWords(said) {
  const lines = said.trim().split('\n');
  return (
    lines.find((line) => /\b(?:error|cannot|could not|failed)\b/i.test(line)) ?? lines.at(-1)
  ).trim();
}

/** When the next fault strikes: often while it starts, mostly in the midst of its work. */
function momentOf() {
  return random.int(0, 3) === 0 ? random.int(0, 700) : random.int(300, 3000);
}

/** A file system of our own in memory, or `null` where we may not mount one. */
function mountDisk(folder) {
  const place = join(folder, 'disk');
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', place], {
      stdio: 'pipe',
    });
    return place;
  } catch {
    return null;
  }
}

function report() {
  const count = (words) => total.broken.filter((problem) => words.test(problem)).length;
  const sorted = total.recoveries.sort((a, b) => a - b);
  const at = (share) => ((sorted[Math.floor(sorted.length * share)] ?? 0) / 1000).toFixed(2);
  console.log(
    `${total.kills} kills, ${count(LOST)} lost, ${count(/landed \d+ times/)} double landings, ` +
      `${count(/ran again after/)} landed tasks run again, ${total.redone} redone, ` +
      `median recovery ${at(0.5)} s (p95 ${at(0.95)} s, ${sorted.length} recoveries: ` +
      `from the start of resume to the first agent at work)`,
  );
  for (const problem of total.broken) console.error(problem);
  if (total.broken.length > 0) process.exitCode = 1;
}
