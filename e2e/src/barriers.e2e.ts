import { resolve } from 'node:path';
import type { Rig } from './rig';
import { makeRig } from './rig';

/** `one` holds a and b, `two` holds c; an agent runs the script of its task, or just writes its file. */
const PHASES = (
  settings = '',
): string => `parallel_executor: { default_agent: it, retry_policy: { max_retries: 0 }, barrier_timeout: 60s${settings} }
agents:
  it:
    adapter: command
    command: 'sh "$PARALLEL_ROOT/.parallel-scripts/$PARALLEL_TASK_ID" && echo x > "$PARALLEL_TASK_ID"'
phases: [one, two]
tasks:
  a: { writes: [a], phase: one }
  b: { writes: [b], phase: one }
  c: { writes: [c], phase: two }
  free: { writes: [free], priority: HIGH }
`;
/** Waits for a file that the test writes. */
const GATE = 'until test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done';

const CLI = resolve(__dirname, '../../packages/cli/bin/parallel-cli.js');
const WAIT = `"${process.execPath}" "${CLI}" barrier wait one`;

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

async function plan(scripts: Readonly<Record<string, string>>, settings?: string): Promise<void> {
  const files: Record<string, string> = { 'parallel.yaml': PHASES(settings) };
  for (const task of ['a', 'b', 'c', 'free'])
    files[`.parallel-scripts/${task}`] = `${scripts[task] ?? ':'}\n`;
  await rig.repository.commit(files, 'plan');
}
const go = (): Promise<void> => rig.write({ '.parallel/go': '' });

describe('barrier wait', () => {
  it('from another terminal ends when the phase has landed', async () => {
    await plan({ a: GATE });
    const run = rig.start('run');
    await rig.journalSays(/process:started/);
    const waiting = rig.start('barrier', 'wait', 'one');
    const json = rig.start('barrier', 'wait', 'two', '--json');
    await rig.journalSays(/task:landed/);
    expect(waiting.child.exitCode).toBeNull();
    await go();
    expect(await waiting.finished).toMatchObject({ code: 0, stdout: 'one is open.\n' });
    const { code, stdout } = await json.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ barrier: 'two', opened: true, open: [] });
    expect((await run.finished).code).toBe(0);
    expect((await rig.cli('barrier', 'wait', 'one')).code).toBe(0);
  });

  it('says at once that it can never open, and why', async () => {
    await plan({ a: `${GATE}; exit 3`, free: 'sleep 1000' });
    const run = rig.start('run');
    await rig.journalSays(/process:started/);
    const waiting = rig.start('barrier', 'wait', 'two', '--timeout', '10m');
    await go();
    const { code, stderr, stdout } = await waiting.finished;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('two can never open: a is failed: agent exited with code 3');
    await rig.cli('kill', '--all');
    await run.finished;
  });

  it('gives up in time, says what is open, and leaves the work alone', async () => {
    await plan({ a: GATE });
    const run = rig.start('run');
    await rig.journalSays(/task:landed/);
    const late = await rig.cli('barrier', 'wait', 'one', '--timeout', '200ms');
    expect(late.code).toBe(3);
    expect(late.stderr).toMatch(/one did not open within .*not landed yet: a \(running\)/);
    expect((await rig.cli('barrier', 'wait', 'zero')).stderr).toContain('one, two');
    await go();
    expect((await run.finished).code).toBe(0);
  });

  it('inside an agent lets it go on when the phase has landed', async () => {
    await plan({ free: WAIT });
    expect((await rig.cli('run')).code).toBe(0);
    expect([rig.has('a'), rig.has('b'), rig.has('free')]).toEqual([true, true, true]);
  });

  it('inside an agent that holds the last slot fails at once instead of hanging', async () => {
    await plan({ free: WAIT, a: GATE, b: GATE }, ', max_agents: 1');
    const run = rig.start('run', '--json');
    await rig.journalSays(/barrier:broken/);
    await rig.journalSays(/barrier:left/);
    await rig.journalSays(/attempt:failed/);
    await rig.cli('kill', '--all');
    await run.finished;
  });

  it('ends when the process of the run is gone', async () => {
    await plan({ a: GATE });
    const run = rig.start('run');
    await rig.journalSays(/process:started/);
    const waiting = rig.start('barrier', 'wait', 'one');
    run.child.kill('SIGKILL');
    const { code, stderr } = await waiting.finished;
    expect(code).toBe(1);
    expect(stderr).toContain('parallel-cli resume');
  });
});
