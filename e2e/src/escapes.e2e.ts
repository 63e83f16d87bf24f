import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ESCAPES, escapeTools, type Escape } from './escapes';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

const ESCAPES_HERE = ESCAPES.filter(({ needs }) => needs === undefined || isInstalled(needs));

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => existsSync(join(folder, program)));
}

let rig: Rig;
let dir: string;
let number: string;

beforeEach(async () => {
  rig = await makeRig();
  dir = mkdtempSync(join(tmpdir(), 'escapes-'));
  number = `1000.${String(Date.now()).slice(-7)}${process.pid}`;
  mkdirSync(join(dir, 'pids'));
  for (const [name, text] of Object.entries(escapeTools(number)))
    writeFileSync(join(dir, name), text);
});
afterEach(async () => {
  for (const { pid } of survivors()) process.kill(pid, 'SIGKILL');
  await rig.done();
  rmSync(dir, { recursive: true, force: true });
});

/** Every process of this test's agents that still lives, by its command line. */
function survivors(): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const isOurs = command.includes(dir) || command.includes(number);
      return isOurs ? [{ pid: Number(name), command: `${kindOf(Number(name))}: ${command}` }] : [];
    } catch {
      return [];
    }
  });
}

const seen = (): string[] => readdirSync(join(dir, 'pids'));
const kindOf = (pid: number): string =>
  seen().find((name) => name.endsWith(`.${pid}`)) ?? 'unknown';
const escaped = ({ name, count }: Escape): boolean =>
  seen().filter((file) => file.startsWith(`${name}.`)).length >= count;

/** One agent per escape, all at once. Each begins, and then waits as `rest` says. */
async function plan(rest: string, settings = ''): Promise<void> {
  for (const escape of ESCAPES_HERE) {
    const begin = [
      `export P=${dir}/pids/${escape.name} S=${dir}/stay`,
      `L=${dir}/levels T=${dir}/heir A=${dir}/again`,
      `test -e ${dir}/go && exit 0`,
      escape.script,
      `until [ "$(ls ${dir}/pids | grep -c "^${escape.name}[.]")" -ge ${escape.count} ]; do sleep 0.05; done`,
      rest,
    ];
    writeFileSync(join(dir, `${escape.name}.sh`), `${begin.join('\n')}\n`);
  }
  const tasks = ESCAPES_HERE.map(({ name }) => `  ${name}: { agent: ${name}, writes: [${name}] }`);
  const agents = ESCAPES_HERE.map(
    ({ name }) => `  ${name}: { adapter: command, command: "sh ${dir}/${name}.sh" }`,
  );
  const text = [
    `parallel_executor: { retry_policy: { max_retries: 0 }, max_agents: 25${settings} }`,
    ...['agents:', ...agents, 'tasks:', ...tasks, ''],
  ];
  await rig.repository.commit({ 'parallel.yaml': text.join('\n') }, 'plan');
}

const REST = 'sleep 1000';
const everybodyEscaped = (): Promise<void> => until(() => ESCAPES_HERE.every(escaped));
/** Each start once, so that the pattern cannot try them in other ways. */
const everybodyIsKnown = (): Promise<void> =>
  rig.journalSays(
    new RegExp(`(?:process:started(?:(?!process:started)[^])*){${ESCAPES_HERE.length}}`),
  );

describe(`of ${ESCAPES_HERE.length} ways to outlive an agent, none works`, () => {
  it('when the agent ends by itself', async () => {
    await plan('exit 0');
    const { code, stderr } = await rig.cli('run', '--progress=none');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(ESCAPES_HERE.filter((escape) => !escaped(escape))).toEqual([]);
    expect(survivors()).toEqual([]);
  });

  it('when it is killed', async () => {
    await plan(REST);
    const run = rig.start('run', '--progress=none');
    await everybodyEscaped();
    await everybodyIsKnown();
    expect((await rig.cli('kill', '--all')).code).toBe(0);
    expect((await run.finished).code).toBe(3);
    expect(survivors()).toEqual([]);
  });

  it('when its time is over', async () => {
    await plan(REST, ', timeout: 15s');
    expect((await rig.cli('run', '--progress=none')).code).toBe(1);
    expect(ESCAPES_HERE.filter((escape) => !escaped(escape))).toEqual([]);
    expect(survivors()).toEqual([]);
  });

  it('when the run is killed with kill -9 and goes on', async () => {
    await plan(REST);
    const run = rig.start('run', '--progress=none');
    await everybodyEscaped();
    await everybodyIsKnown();
    run.child.kill('SIGKILL');
    await run.finished;
    writeFileSync(join(dir, 'go'), '');
    expect((await rig.cli('resume', '--progress=none')).code).toBe(0);
    expect(survivors()).toEqual([]);
  });
});
