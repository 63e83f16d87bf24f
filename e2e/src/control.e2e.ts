import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult, StatusJson } from '@parallel-executor/core';
import type { Rig } from './rig';
import { isAlive, makeRig, until } from './rig';

/** Each agent says its pid, then waits for a file that the test writes. */
const WAITERS = (
  tasks: string,
): string => `parallel_executor: { default_agent: waiter, retry_policy: { max_retries: 0 } }
agents:
  waiter:
    adapter: command
    command: 'echo $$ > "$PARALLEL_ROOT/.parallel/$PARALLEL_TASK_ID.pid"; while ! test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done; echo x > "$PARALLEL_TASK_ID"'
tasks: ${tasks}
`;

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

const pidOf = (task: string): number =>
  Number(readFileSync(join(rig.root, `.parallel/${task}.pid`), 'utf8'));
const started = (task: string): Promise<void> =>
  until(() => rig.has(`.parallel/${task}.pid`) && pidOf(task) > 0);
const go = (): Promise<void> => rig.write({ '.parallel/go': '' });
const status = async (): Promise<StatusJson> =>
  JSON.parse((await rig.cli('status', '--json')).stdout) as StatusJson;

describe('from another terminal', () => {
  it('status shows a run while it goes on and after it', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b], depends_on: [a] } }') },
      'plan',
    );
    const run = rig.start('run', '--agents=7');
    await started('a');
    await rig.journalSays(/process:started/);
    expect(await status()).toMatchObject({
      schemaVersion: 1,
      run: { status: 'running' },
      counts: { active: 1, max_agents: 7, completed: 0, in_progress: 1, pending: 1, failed: 0 },
      agents: [{ id: 'agent-1', profile: 'waiter', task: 'a' }],
    });
    const { stdout } = await rig.cli('status');
    expect(stdout).toMatch(/Active Agents:\s+1\/7/);
    expect(stdout).not.toContain('\u001b');
    await go();
    expect((await run.finished).code).toBe(0);
    expect(await status()).toMatchObject({
      run: { status: 'completed' },
      counts: { active: 0, completed: 2 },
    });
  });

  it('pause lets running agents finish and starts no other until resume', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b], depends_on: [a] } }') },
      'plan',
    );
    const run = rig.start('run');
    await started('a');
    expect((await rig.cli('pause')).code).toBe(0);
    await rig.journalSays(/"mode":"paused"/);
    await go();
    await rig.journalSays(/target:advanced/);
    expect(rig.has('.parallel/b.pid')).toBe(false);
    expect((await status()).run.status).toBe('paused');
    expect((await rig.cli('resume')).code).toBe(0);
    expect((await run.finished).code).toBe(0);
    expect(rig.has('b')).toBe(true);
  });

  it('kill ends one agent and its children, and the others land', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b] } }') },
      'plan',
    );
    const run = rig.start('run');
    await Promise.all([started('a'), started('b')]);
    await rig.journalSays(/process:started[^]*process:started/);
    expect((await rig.cli('kill', 'a')).code).toBe(0);
    await until(() => !isAlive(pidOf('a')));
    await go();
    expect((await run.finished).code).toBe(3);
    expect([rig.has('a'), rig.has('b')]).toEqual([false, true]);
    expect((await rig.cli('kill', 'nobody')).code).toBe(2);
  });

  it('a second run is refused while one goes on', async () => {
    await rig.repository.commit({ 'parallel.yaml': WAITERS('{ a: { writes: [a] } }') }, 'plan');
    const run = rig.start('run');
    await started('a');
    expect((await rig.cli('run')).code).toBe(4);
    await go();
    expect((await run.finished).code).toBe(0);
  });

  it('logs prints what an agent said', async () => {
    await rig.repository.commit(
      {
        'parallel.yaml':
          'parallel_executor: { default_agent: a }\nagents: { a: { adapter: command, command: "echo hello from $PARALLEL_AGENT_ID" } }\ntasks: { one: { writes: [x] } }\n',
      },
      'plan',
    );
    expect((await rig.cli('run')).code).toBe(0);
    expect((await rig.cli('logs', 'one')).stdout).toContain('hello from agent-1');
  });
});

describe('a run that is cut off', () => {
  it('by Ctrl-C drains: what runs lands, the rest goes on with resume', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b], depends_on: [a] } }') },
      'plan',
    );
    const run = rig.start('run', '--progress=plain');
    await started('a');
    run.child.kill('SIGINT');
    await rig.journalSays(/"mode":"draining"/);
    await go();
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('parallel-cli resume');
    expect([rig.has('a'), rig.has('b')]).toEqual([true, false]);
    expect((await rig.cli('resume')).code).toBe(0);
    expect(rig.has('b')).toBe(true);
  });

  it('by kill -9 goes on where it was: nothing landed runs again, nothing is lost', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b] } }') },
      'plan',
    );
    const run = rig.start('run');
    await Promise.all([started('a'), started('b')]);
    await rig.journalSays(/process:started[^]*process:started/);
    const orphan = pidOf('a');
    run.child.kill('SIGKILL');
    await run.finished;
    expect((await status()).run.status).not.toBe('running');
    await go();
    const { code, stdout } = await rig.cli('resume', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as RunResult).parallel_execution.tasks).toMatchObject({
      completed: 2,
      failed: 0,
    });
    expect(isAlive(orphan)).toBe(false);
    expect(rig.worktrees()).toEqual([]);
    expect(await rig.git('status', '--porcelain')).toBe('');
    expect((await rig.git('log', '--format=%s', '--first-parent')).split('\n')).toHaveLength(4);
  });
});
