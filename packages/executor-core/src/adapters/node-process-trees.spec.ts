import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessTree } from '../ports/processes';
import type { RunningProcess } from '../ports/process-runner';
import { nodeProcessRunner } from './node-process-runner';
import { nodeProcesses } from './node-processes';
import { psTable } from './node-process-table';
import { nodeProcessTrees } from './node-process-trees';

jest.setTimeout(20_000);

const processes = nodeProcesses();
const trees = nodeProcessTrees(processes.self());
const runner = nodeProcessRunner(processes, trees);
const MARK = { run: 'PEXEC-1', task: 'a' };
/** Writes its pid into the given file, then stays for good; `$PIDS` is the folder of these files. */
const STAY = `sh -c 'echo $$ > "$0/$$"; exec sleep 1000' "$PIDS"`;

let dir: string;
let folder: string;
let pidsFolder: string;
let running: RunningProcess[];
let strangers: ChildProcess[];

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'trees-')));
  folder = join(dir, 'own');
  pidsFolder = join(dir, 'pids');
  fs.mkdirSync(folder);
  fs.mkdirSync(pidsFolder);
  running = [];
  strangers = [];
});
afterEach(async () => {
  for (const child of running) child.signal('SIGKILL');
  for (const child of running) await child.exited;
  for (const child of strangers) child.kill('SIGKILL');
  for (const pid of pids()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  fs.rmSync(dir, { recursive: true, force: true });
});

const pids = (): number[] => fs.readdirSync(pidsFolder).map(Number);
const isAlive = (pid: number): boolean => processes.identify(pid) !== null;
const stateOf = (pid: number): string =>
  /\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
/** The unit of start times: hundredths of a second. */
const ticksSinceBoot = (): number =>
  Math.floor(Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100);
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

async function start(script: string, mark = MARK, cwd = folder): Promise<RunningProcess> {
  const child = await runner.start({
    argv: ['sh', '-c', script],
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      PIDS: pidsFolder,
      PARALLEL_RUN_ID: mark.run,
      PARALLEL_TASK_ID: mark.task,
    },
    stdin: null,
    outputPath: join(dir, `${mark.task}.log`),
    ownFolder: cwd,
  });
  running.push(child);
  return child;
}

/** A process of the person: not ours, but in the folder. */
async function stranger(
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
    detached: true,
  });
  strangers.push(child);
  await once(child, 'spawn');
  return child.pid ?? -1;
}

const treeOf = ({ identity: leader }: RunningProcess): ProcessTree => ({
  leader,
  mark: MARK,
  folder,
  output: join(dir, 'a.log'),
});

/** Ways to get away; each leaves as many processes that stay as `count` says. */
const ESCAPES: readonly (readonly [string, string, number])[] = [
  ['children of children', `(${STAY} & (${STAY} & ${STAY})) & wait`, 3],
  ['a child that nobody waits for', `${STAY} & exit 0`, 1],
  ['nohup', `nohup ${STAY} >/dev/null 2>&1 & wait`, 1],
  ['a session of its own', `setsid ${STAY} & wait`, 1],
  ['a session of its own, its parent gone', `setsid ${STAY} & exit 0`, 1],
  ['a double fork', `setsid sh -c '${STAY.replaceAll("'", `'"'"'`)} & exit 0' & exit 0`, 1],
  ['a session of its own in another folder', `cd /; setsid -f ${STAY} >/dev/null 2>&1; exit 0`, 1],
  [
    'a daemon with an empty environment',
    `setsid -f env -i PIDS="$PIDS" PATH="$PATH" ${STAY} >/dev/null 2>&1; exit 0`,
    1,
  ],
  [
    'a daemon with an empty environment elsewhere, writing to the output',
    `cd /; setsid -f env -i PIDS="$PIDS" PATH="$PATH" ${STAY}; exit 0`,
    1,
  ],
  [
    'a child of a daemon with an empty environment, in another folder',
    `setsid -f env -i PIDS="$PIDS" PATH="$PATH" sh -c 'cd /; ${STAY.replaceAll("'", `'"'"'`)} & cd "$OLDPWD"; echo $$ > "$PIDS/$$"; wait' >/dev/null 2>&1; exit 0`,
    2,
  ],
  [
    'SIGINT, SIGTERM and SIGHUP ignored',
    `trap "" INT TERM HUP; ${STAY} & setsid ${STAY} & wait; wait`,
    2,
  ],
  [
    'a stopped process',
    `sh -c 'echo $$ > "$PIDS/$$"; kill -STOP $$; sleep 1000' & setsid ${STAY} & wait`,
    2,
  ],
];

describe('a kill', () => {
  it.each(ESCAPES)('reaches %s', async (_name, script, count) => {
    const child = await start(script.replace(/exit 0$/, 'sleep 1000'));
    await until(() => pids().length === count && pids().every((pid) => isAlive(pid)));
    child.signal('SIGKILL');
    await child.exited;
    expect(pids().filter(isAlive)).toEqual([]);
  });

  it('outruns what starts itself again and again', async () => {
    const again = join(dir, 'again.sh');
    fs.writeFileSync(
      again,
      `echo $$ > "$PIDS/$$"; [ "$1" -gt 0 ] || exec sleep 1000; setsid sh "$0" $(($1 - 1)) & sleep 0.01`,
    );
    const child = await start(`for i in 1 2 3; do setsid sh ${again} 20 & done; sleep 1000`);
    await until(() => pids().length > 10);
    child.signal('SIGKILL');
    await child.exited;
    const seen = pids().length;
    expect(pids().filter(isAlive)).toEqual([]);
    expect(trees.signalTree(treeOf(child), 0)).toBe(0);
    expect(pids()).toHaveLength(seen);
  });

  it('knows by the mark alone what is left when the leader is not known', async () => {
    const child = await start(`setsid ${STAY} & ${STAY}`);
    await until(() => pids().length === 2);
    const tree = { leader: null, mark: MARK, folder, output: null };
    expect(trees.signalTree(tree, 'SIGKILL')).toBeGreaterThanOrEqual(3);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(pids().filter(isAlive)).toEqual([]);
  });

  it('spares other tasks, also in the same folder', async () => {
    const other = await start(`setsid -f ${STAY} >/dev/null 2>&1; ${STAY}`, {
      run: 'PEXEC-1',
      task: 'ab',
    });
    const later = await start(STAY, { run: 'PEXEC-12', task: 'a' });
    await until(() => pids().length === 3);
    const child = await start('sleep 1000');
    child.signal('SIGKILL');
    await child.exited;
    expect(pids().filter(isAlive)).toHaveLength(3);
    expect([other, later].every(({ identity }) => processes.isAlive(identity))).toBe(true);
  });

  it("spares a person's programs in the folder: older, at a terminal, or of another program", async () => {
    const older = await stranger(['sleep', '1000']);
    await until(() => ticksSinceBoot() > Number(processes.identify(older)?.startTime) + 1);
    const child = await start('sleep 1000');
    const helper = await stranger(['sleep', '1000']);
    const terminal = await stranger([
      'script', '-qec', `sh -c 'echo $$ > "${pidsFolder}/$$"; sleep 1000'`, '/dev/null',
    ]); // prettier-ignore
    await until(() => pids().length === 1);
    child.signal('SIGKILL');
    await child.exited;
    expect([older, helper, terminal, ...pids()].map(isAlive)).toEqual([true, true, true, true]);
  });

  it('never reaches whoever asks, whatever it carries', () => {
    const tree = { leader: null, mark: MARK, folder, output: null };
    expect(trees.signalTree(tree, 'SIGKILL')).toBe(0);
    const all = { leader: processes.self(), mark: null, folder: '/', output: null };
    const kill = jest.spyOn(process, 'kill').mockReturnValue(true);
    trees.signalTree(all, 'SIGTERM');
    const reached = kill.mock.calls.map(([pid]) => pid);
    kill.mockRestore();
    expect(reached).not.toContain(process.pid);
    expect(reached).not.toContain(process.ppid);
  });

  it('does nothing to what another host or an earlier boot started', async () => {
    const child = await start('sleep 1000');
    for (const change of [{ host: 'elsewhere' }, { bootId: 'earlier' }]) {
      const leader = { ...child.identity, ...change };
      expect(trees.signalTree({ ...treeOf(child), leader }, 'SIGKILL')).toBe(0);
    }
    expect(processes.isAlive(child.identity)).toBe(true);
  });

  it('does nothing to a group whose number went to somebody else', async () => {
    const child = await start('sleep 1000');
    const leader = { ...child.identity, startTime: '1' };
    const tree = { leader, mark: null, folder: null, output: null };
    expect(trees.signalTree(tree, 'SIGKILL')).toBe(0);
    expect(processes.isAlive(child.identity)).toBe(true);
  });
});

describe('the end of a program', () => {
  it.each(ESCAPES)('ends %s before it is told', async (_name, script, count) => {
    const child = await start(
      `{ ${script.replace(/(?:wait; )?wait$/, ':')}; } & until [ $(ls "$PIDS" | wc -l) = ${count} ]; do sleep 0.01; done; exit 7`.replace(
        'exit 0; }',
        ':; }',
      ),
    );
    expect(await child.exited).toEqual({ code: 7, signal: null });
    expect(pids()).toHaveLength(count);
    expect(pids().filter(isAlive)).toEqual([]);
  });

  it('finds at its end what another end had seen with its parent still there', async () => {
    const child = await start(
      `sh -c 'env -i PIDS="$PIDS" PATH="$PATH" setsid ${STAY.replaceAll("'", `'"'"'`)} >/dev/null 2>&1 & until test -e go; do sleep 0.01; done'; exit 0`,
    );
    await until(() => pids().length === 1);
    expect(trees.signalTree({ ...treeOf(child), mark: null }, 0)).toBeGreaterThan(0);
    fs.writeFileSync(join(folder, 'go'), '');
    await child.exited;
    expect(pids().filter(isAlive)).toEqual([]);
  });
});

describe('a suspended tree', () => {
  it('stands still as a whole, and goes on as a whole', async () => {
    const child = await start(`${STAY} & setsid ${STAY} & wait`);
    await until(() => pids().length === 2);
    child.signal('SIGSTOP');
    const all = [child.identity.pid, ...pids()];
    await until(() => all.every((pid) => stateOf(pid) === 'T'));
    child.signal('SIGCONT');
    await until(() => all.every((pid) => stateOf(pid) === 'S'));
  });

  it('hears that it is to end', async () => {
    const child = await start(`trap 'exit 9' INT; ${STAY} & wait`);
    await until(() => pids().length === 1);
    child.signal('SIGSTOP');
    await until(() => stateOf(child.identity.pid) === 'T');
    child.signal('SIGINT');
    expect(await child.exited).toEqual({ code: 9, signal: null });
    expect(pids().filter(isAlive)).toEqual([]);
  });

  it('can be killed', async () => {
    const child = await start(STAY);
    await until(() => pids().length === 1);
    child.signal('SIGSTOP');
    child.signal('SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('where there is no /proc', () => {
  it('a kill reaches the group and all descendants, also in sessions of their own', async () => {
    const byPs = nodeProcessTrees(processes.self(), psTable());
    const child = await start(
      `${STAY} & setsid sh -c '${STAY.replaceAll("'", `'"'"'`)} & wait' & wait`,
    );
    await until(() => pids().length === 2);
    expect(byPs.signalTree(treeOf(child), 'SIGKILL')).toBeGreaterThanOrEqual(4);
    await child.exited;
    expect(pids().filter(isAlive)).toEqual([]);
  });
});
