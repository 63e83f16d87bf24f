import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { processesWith } from './processes.mjs';

/** How a problem reads that means lost work. */
export const LOST = /is lost|is nowhere|its file/;

/**
 * What must hold when a run has come to its end, read from git, the journal and the agents' own log.
 * Returns what does not hold, in words, and how much work was done again.
 */
export async function examine(world, door) {
  const broken = [];
  const check = (holds, what) => {
    if (!holds) broken.push(what);
  };
  const { git, tasks } = world;
  const log = world.log();
  const landings = landingsOf(git);
  for (const task of tasks) {
    const times = landings.filter((name) => name === task).length;
    check(times > 0, `${task} is lost: no commit of the target carries it`);
    check(times < 2, `${task} landed ${times} times`);
    const result = read(git, `main:out/${task}/result`);
    check(result === world.resultOf(task), `${task}: its file on the target is ${result}`);
  }
  const events = await door.events();
  check(events !== null, 'the journal cannot be read');
  const { redone, again } = countRuns(log, events ?? []);
  check(again.length === 0, `ran again after they had landed: ${again.join(', ')}`);
  for (const { task, pid } of log.filter(({ what }) => what === 'half')) {
    check(
      isKept(world, `out/${task}/half-${pid}`),
      `${task}: the work of attempt ${pid} is nowhere`,
    );
  }
  check(world.isPreciousThere(), "a person's file was touched");
  check(
    git('status', '--porcelain') === '?? precious.txt\n',
    `status: ${git('status', '--short')}`,
  );
  check(git('symbolic-ref', 'HEAD') === 'refs/heads/main\n', 'HEAD is elsewhere');
  const damage = fsck(git);
  check(damage === '', `git fsck: ${damage}`);
  const trees = git('worktree', 'list', '--porcelain').match(/^worktree .*/gm);
  const left = trees.slice(1).filter((line) => !line.includes('/.kept/'));
  check(left.length === 0, `worktrees are left: ${left.join(', ')}`);
  const locks = lockFiles(join(world.root, '.git'));
  check(locks.length === 0, `lock files are left: ${locks.join(', ')}`);
  const alive = processesWith(`PARALLEL_ROOT=${world.root}`);
  check(alive.length === 0, `processes are left: ${alive.join(', ')}`);
  return { broken, redone };
}

/** Tasks by their trailer, one for each commit of the target that brought one in. */
function landingsOf(git) {
  const format = '%(trailers:key=Parallel-Task,valueonly,separator=%x20)';
  return git('log', '--first-parent', `--format=${format}`, 'main').split(/\s+/).filter(Boolean);
}

/** `redone`: finished work of agents that was done once more; `again`: tasks that ran after they had landed. */
function countRuns(log, events) {
  const landed = new Set();
  const again = [];
  const started = new Map();
  for (const { type, task } of events) {
    if (type === 'task:landed') landed.add(task);
    if (type !== 'task:started') continue;
    started.set(task, (started.get(task) ?? 0) + 1);
    if (landed.has(task)) again.push(task);
  }
  const runs = groupByTask(log);
  for (const [task, lines] of runs) {
    const times = lines.filter(({ what }) => what === 'start').length;
    if (times > (started.get(task) ?? 0)) again.push(`${task} (behind the journal's back)`);
  }
  const ends = log.filter(({ what }) => what === 'end').map(({ task }) => task);
  return { redone: ends.length - new Set(ends).size, again };
}

function groupByTask(log) {
  const found = new Map();
  for (const line of log) found.set(line.task, [...(found.get(line.task) ?? []), line]);
  return found;
}

/** `true` when the target or a ref of ours has a commit that touched this path, or a kept folder has it. */
function isKept({ root, git }, path) {
  const kept = join(root, '.worktrees/.kept');
  if (existsSync(kept) && readdirSync(kept).some((name) => existsSync(join(kept, name, path))))
    return true;
  const refs = ['main', '--glob=refs/parallel/*'];
  return git('log', '--format=%h', '--max-count=1', ...refs, '--', path) !== '';
}

function fsck(git) {
  try {
    return git('fsck', '--full', '--strict', '--no-dangling', '--no-progress').trim();
  } catch (error) {
    return `${error.stdout ?? ''}${error.stderr ?? error.message}`.trim();
  }
}

function read(git, object) {
  try {
    return git('cat-file', 'blob', object);
  } catch {
    return null;
  }
}

function lockFiles(gitDir) {
  if (!existsSync(gitDir)) return [];
  return readdirSync(gitDir, { recursive: true }).filter(
    (name) => name.endsWith('.lock') && !name.startsWith('parallel'),
  );
}
