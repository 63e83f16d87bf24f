/**
 * Kills git, and the engine with it, at every system call by which any git of a run changes a file, one
 * run for each, then lets the run be resumed and examines what is there. Needs strace.
 * Usage: npm run chaos:git -- [--every 1] (only each n-th point) [--only read-tree] [--jobs 2] (at once)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cliDoor } from './doors.mjs';
import { examine, LOST } from './invariants.mjs';
import { makeWorld, openWorld } from './world.mjs';

const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    only: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
/** Calls that change files; a created file is seen by the write or the rename that follows. */
const CHANGES =
  'write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,ftruncate,fsync,fdatasync,chmod,utimensat';
const GIT = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

/**
 * Stands for git. Recording, it notes what each call changes; later the call `CHAOS_TARGET` (command and
 * number of that command) dies at its `CHAOS_AT`-th change, and its engine at the same moment.
 */
const WRAPPER = `#!/bin/sh
command=none
skip=
for word in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$word" in -c|-C) skip=1 ;; -*) ;; *) command=$word; break ;; esac
done
number=1
while ! mkdir "$CHAOS_CALLS/$command.$number" 2>/dev/null; do number=$((number + 1)); done
if [ -z "$CHAOS_TARGET" ]; then
  exec strace -f -qq -o "$CHAOS_CALLS/$command.$number/trace" -e trace=${CHANGES} ${GIT} "$@"
fi
if [ "$CHAOS_TARGET" != "$command.$number" ]; then exec ${GIT} "$@"; fi
strace -f -qq -o /dev/null -e trace=${CHANGES} -e inject=${CHANGES}:signal=KILL:when=$CHAOS_AT ${GIT} "$@"
code=$?
[ "$code" -gt 128 ] && kill -9 "$(cat "$CHAOS_CALLS/engine")"
exit "$code"
`;

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parallel-git-kills-')));
const broken = [];
const tally = { points: 0, reached: 0 };
const TASKS = 2;
/** The repository that every run gets a copy of. */
const template = join(folder, 'template');
try {
  makeWorld(join(template, 'repository'), { files: 20, tasks: TASKS });
  const points = record().filter((_, at) => at % Number(values.every) === 0);
  console.log(`${points.length} points, ${values.jobs} at once`);
  const waiting = [...points];
  const work = async () => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift())
      await killAt(point);
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  for (const [command, count] of countBy(points)) console.log(`  ${command}: ${count} points`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
for (const problem of broken) console.error(String(problem));
const failed = new Set(broken.map(({ at }) => at)).size;
const about = (words) => broken.filter(({ problem }) => words.test(problem)).length;
const unclean = about(/^git fsck/);
console.log(
  `${tally.points} points, ${tally.reached} kills, ${tally.points - failed} recovered, ` +
    `fsck ${unclean === 0 ? 'clean' : `unclean ${unclean} times`}, ${about(LOST)} work lost`,
);
if (broken.length > 0) process.exitCode = 1;

/** Every point of an undisturbed run: the command, its number, the number of the change. */
function record() {
  const { world, env, calls } = scene('recording');
  const run = spawnSync(process.execPath, [cliPath(), 'run', '--agents=1'], {
    cwd: world.root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`The undisturbed run failed: ${run.stderr}`);
  return readdirSync(calls).flatMap((call) => {
    if (values.only !== undefined && !call.startsWith(`${values.only}.`)) return [];
    return Array.from({ length: changesIn(join(calls, call, 'trace')) }, (_, at) => ({
      call,
      at: at + 1,
    }));
  });
}

/** strace counts for each process of its own. */
function changesIn(trace) {
  const perProcess = new Map();
  for (const line of readOr(trace, '').split('\n')) {
    const [pid] = line.trim().split(' ');
    if (/^\d+\s+[a-z]\w*\(/.test(line)) perProcess.set(pid, (perProcess.get(pid) ?? 0) + 1);
  }
  return Math.max(0, ...perProcess.values());
}

async function killAt({ call, at }) {
  const name = `${call}-${at}`;
  const { world, env, calls, place } = scene(name);
  const door = cliDoor(world.root, 1);
  const first = door.start({ ...env, CHAOS_TARGET: call, CHAOS_AT: String(at) });
  writeFileSync(join(calls, 'engine'), String(first.pid));
  let { code, said } = await first.ended;
  tally.points += 1;
  if (code === null) {
    tally.reached += 1;
    // What it started but had not begun is not there to be resumed.
    ({ code, said } = await door.start().ended);
  }
  if (code !== 0) note(name, `exit ${code}: ${said.trim()}`);
  else for (const problem of (await examine(world, door)).broken) note(name, problem);
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
}

function note(at, problem) {
  broken.push({ at, problem, toString: () => `${at}: ${problem}` });
  console.log(`${at}: ${problem}`);
}

function scene(name) {
  const place = join(folder, name);
  const [bin, calls] = [join(place, 'bin'), join(place, 'calls')];
  for (const each of [bin, calls]) mkdirSync(each, { recursive: true });
  writeFileSync(join(bin, 'git'), WRAPPER);
  chmodSync(join(bin, 'git'), 0o755);
  cpSync(template, place, { recursive: true, preserveTimestamps: true });
  const world = openWorld(join(place, 'repository'), TASKS);
  const env = { PATH: `${bin}:${process.env.PATH}`, CHAOS_CALLS: calls, CHAOS_TARGET: '' };
  return { world, env, calls, place };
}

function cliPath() {
  return join(import.meta.dirname, '../../packages/cli/bin/parallel-cli.js');
}

function countBy(points) {
  const counts = new Map();
  for (const { call } of points) {
    const command = call.replace(/\.\d+$/, '');
    counts.set(command, (counts.get(command) ?? 0) + 1);
  }
  return counts;
}

function readOr(path, instead) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return instead;
  }
}
