// Speed-up of the whole pipeline with agents that wait: 2 tasks of 2 s per agent, through the real CLI,
// in a fresh repository. Wall clock includes the start of the CLI, worktrees, commits and landings.
// "speed-up" is the time agents work, 2 s a task, over the wall clock. "of one agent" is what the word means in the
// field (Amdahl), and easier: the wall clock of the same plan with one agent, measured once, over that with P.
// "by hand" is the speed-up of the same work as a person does it today, on the same machine in the same minute: a
// shell script with xargs -P, git worktree add, git commit and git merge, without locks, audit, journal, fences.
// What even that does not reach, the machine does not give.
// Every run has a folder of its own that stays to the end: ext4 without a journal, as virtual machines have it, makes a
// file thirty times more slowly where thousands were removed in the last minutes.
// Usage: node tools/bench/speedup.mjs [--agents 5,10,15,25] [--rounds 3] [--seconds 2] [--quick] [--no-gate]
// --quick: one round with 5 and 25 agents, with one agent only the plan for 5. Ends with 1 when a speed-up is below
// its least value.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const CLI = resolve(import.meta.dirname, '../../packages/cli/bin/parallel-cli.js');
/** Least speed-up per number of agents, beside what the specification promises. */
const GATES = { 5: [4.6, 3.5], 10: [8.8, 5], 15: [13, 7], 25: [18, 10] };
const TASKS_PER_AGENT = 2;

const { values } = parseArgs({
  options: {
    agents: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    'no-gate': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const teams = (values.agents ?? (values.quick ? '5,25' : '5,10,15,25')).split(',').map(Number);
const seconds = Number(values.seconds);

const BY_HAND = `set -e
n=$1; branch=agent-$n; tree=.trees/$branch
flock .git/by-hand git worktree add -q -b "$branch" "$tree"
cd "$tree"
PARALLEL_AGENT_ID=$n PARALLEL_TASK_ID=task-$n sh -c "$COMMAND"
git add -A
git commit -qm "task-$n"
cd ../..
flock .git/by-hand sh -c "git merge -q --no-edit $branch; git worktree remove --force $tree; git branch -q -D $branch"
`;

const engine = (root, agents) =>
  spawnSync(process.execPath, [CLI, 'run', `--agents=${agents}`, '--json'], {
    cwd: root,
    encoding: 'utf8',
  });
const byHand = (root, agents) => {
  const numbers = Array.from({ length: agents * TASKS_PER_AGENT }, (_, at) => `${at + 1}\n`);
  const args = ['-P', String(agents), '-n', '1', 'bash', '-c', BY_HAND, 'by-hand'];
  const env = { ...process.env, COMMAND: command() };
  return spawnSync('xargs', args, { cwd: root, encoding: 'utf8', input: numbers.join(''), env });
};

/** Where every folder begins in another part of the disk (chattr(1), T), if the file system can do that. */
const runs = mkdtempSync(join(tmpdir(), 'parallel-speedup-'));
spawnSync('chattr', ['+T', runs]);
process.on('exit', () => rmSync(runs, { recursive: true, force: true }));

/** Wall time in ms of one run of `agents × 2` tasks; throws when one of them did not land. */
function runOnce(agents, how) {
  const root = mkdtempSync(join(runs, 'run-'));
  const git = (...args) => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
  const tasks = agents * TASKS_PER_AGENT;
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Bench');
  git('config', 'user.email', 'bench@example.com');
  mkdirSync(join(root, 'src'));
  for (let at = 0; at < 100; at += 1)
    writeFileSync(join(root, `src/file-${at}.ts`), `export const n = ${at};\n`);
  writeFileSync(join(root, 'parallel.yaml'), planText(tasks));
  git('add', '.');
  git('commit', '-qm', 'start');
  const start = process.hrtime.bigint();
  const run = how(root, agents);
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  const landed = String(git('ls-files', 'out')).trim().split('\n').length;
  if (run.status !== 0 || landed !== tasks)
    throw new Error(`exit ${run.status}, ${landed} of ${tasks} landed\n${run.stderr}`);
  return wall;
}

function command() {
  return `sleep ${seconds}; mkdir -p out; echo "$PARALLEL_AGENT_ID" > "out/$PARALLEL_TASK_ID"`;
}

function planText(tasks) {
  const lines = Array.from(
    { length: tasks },
    (_, at) => `  task-${at + 1}: { writes: [out/task-${at + 1}] }`,
  );
  return `parallel_executor: { default_agent: sleeper }\nagents:\n  sleeper: { adapter: command, command: '${command()}' }\ntasks:\n${lines.join('\n')}\n`;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const HEADS = [
  'agents',
  'tasks',
  'one agent s',
  'wall s (median)',
  'best s',
  'speed-up',
  'least',
  'promised',
  'of one agent',
  'by hand',
];
const row = (cells) =>
  cells.map((cell, at) => String(cell).padStart(HEADS[at].length + 2)).join('');

let missed = false;
console.log(row(HEADS));
for (const agents of teams) {
  const [walls, hands] = [[], []];
  const isLong = values.quick && agents > 5;
  const alone = isLong ? null : runOnce(agents, (root) => engine(root, 1));
  // In turn, so that a machine that slows down slows both.
  for (let round = 0; round < rounds; round += 1) {
    walls.push(runOnce(agents, engine));
    hands.push(runOnce(agents, byHand));
  }
  const work = agents * TASKS_PER_AGENT * seconds * 1000;
  const speedup = work / median(walls);
  const [least, promised] = GATES[agents] ?? [0, 0];
  if (speedup < least) missed = true;
  const inSeconds = (ms) => (ms === null ? '-' : (ms / 1000).toFixed(2));
  const times = (ratio) => (ratio === null ? '-' : ratio.toFixed(2));
  console.log(
    row([
      agents,
      agents * TASKS_PER_AGENT,
      inSeconds(alone),
      inSeconds(median(walls)),
      inSeconds(Math.min(...walls)),
      times(speedup),
      least,
      promised,
      times(alone === null ? null : alone / median(walls)),
      times(work / median(hands)),
    ]),
  );
}
if (missed && !values['no-gate']) process.exitCode = 1;
