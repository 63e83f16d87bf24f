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

/** `c` waits for `a`, `b` is on its own; nothing is tried again by itself. */
const RETRIED = (
  agent: string,
): string => `parallel_executor: { default_agent: it, retry_policy: { max_retries: 0 } }
agents:
  it:
    adapter: command
    command: '${agent}'
tasks: { a: { writes: [a] }, b: { writes: [b] }, c: { writes: [c], depends_on: [a] } }
`;

/** The agent of the one task says something and changes nothing. */
const SAYING = (command: string): string => `parallel_executor: { default_agent: a }
agents: { a: { adapter: command, command: "${command}" } }
tasks: { one: { writes: [x] } }
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
const isFrozen = (pid: number): boolean =>
  /^\d+ \(.*\) T/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
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
  });

  it('kill reaches what left the agent, and names what runs when it is asked for something else', async () => {
    const agent =
      'setsid -f sh -c "cd /; echo \\$\\$ > \\"\\$PARALLEL_ROOT/.parallel/gone.pid\\"; exec sleep 1000" >/dev/null 2>&1; echo $$ > "$PARALLEL_ROOT/.parallel/a.pid"; sleep 1000';
    await rig.repository.commit(
      {
        'parallel.yaml': `parallel_executor: { default_agent: a }\nagents:\n  a:\n    adapter: command\n    command: '${agent}'\ntasks: { a: { writes: [a] } }\n`,
      },
      'plan',
    );
    const run = rig.start('run');
    await Promise.all([started('a'), started('gone')]);
    await rig.journalSays(/process:started/);
    const [leader, gone] = [pidOf('a'), pidOf('gone')];
    expect([isAlive(leader), isAlive(gone)]).toEqual([true, true]);
    const nobody = await rig.cli('kill', 'nobody');
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toContain('Running now: agent-1 (a).');
    expect((await rig.cli('kill', 'agent-1')).code).toBe(0);
    expect((await run.finished).code).toBe(3);
    expect([isAlive(leader), isAlive(gone)]).toEqual([false, false]);
  });

  it('pause --suspend freezes agents where they are, and resume lets them land', async () => {
    await rig.repository.commit(
      { 'parallel.yaml': WAITERS('{ a: { writes: [a], timeout: 3s } }') },
      'plan',
    );
    const run = rig.start('run');
    await started('a');
    await rig.journalSays(/process:started/);
    expect((await rig.cli('pause', '--suspend')).code).toBe(0);
    await until(() => isFrozen(pidOf('a')));
    await go();
    expect((await status()).run).toMatchObject({ status: 'paused', suspended: true });
    expect((await rig.cli('status')).stdout).toContain('paused (suspended)');
    // Longer than the attempt may take: its clock stands still as well.
    const patience = Date.now() + 3500;
    await until(() => Date.now() > patience);
    expect(isFrozen(pidOf('a'))).toBe(true);
    expect((await rig.cli('resume')).code).toBe(0);
    expect((await run.finished).code).toBe(0);
    expect(rig.has('a')).toBe(true);
  });

  it('Ctrl-C on a suspended run lets its agents finish; a second one stops them', async () => {
    await rig.repository.commit({ 'parallel.yaml': WAITERS('{ a: { writes: [a] } }') }, 'plan');
    const run = rig.start('run');
    await started('a');
    await rig.journalSays(/process:started/);
    await rig.cli('pause', '--suspend');
    await until(() => isFrozen(pidOf('a')));
    run.child.kill('SIGINT');
    await until(() => !isFrozen(pidOf('a')));
    await rig.cli('pause', '--suspend');
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect(isAlive(pidOf('a'))).toBe(false);
    await go();
    expect((await rig.cli('resume')).code).toBe(0);
    expect(rig.has('a')).toBe(true);
  });

  it('agents changes how many run at once', async () => {
    await rig.repository.commit(
      {
        'parallel.yaml': WAITERS('{ a: { writes: [a] }, b: { writes: [b] }, c: { writes: [c] } }'),
      },
      'plan',
    );
    const run = rig.start('run', '--agents=1');
    await started('a');
    expect(rig.has('.parallel/b.pid')).toBe(false);
    expect((await rig.cli('agents', '26')).code).toBe(2);
    expect((await rig.cli('agents', '2')).code).toBe(0);
    await started('b');
    expect((await status()).counts).toMatchObject({ active: 2, max_agents: 2 });
    expect(rig.has('.parallel/c.pid')).toBe(false);
    await go();
    expect((await run.finished).code).toBe(0);
  });

  it('retry has a failed task tried again, and what it blocked with it', async () => {
    const agent =
      'test "$PARALLEL_TASK_ID" != a || test -e "$PARALLEL_ROOT/.parallel/mended" || exit 3; until test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done; echo x > "$PARALLEL_TASK_ID"';
    await rig.repository.commit({ 'parallel.yaml': RETRIED(agent) }, 'plan');
    const run = rig.start('run');
    await rig.journalSays(/task:failed[^]*task:blocked/);
    await rig.write({ '.parallel/mended': '' });
    expect((await rig.cli('retry', 'b')).code).toBe(2);
    expect((await rig.cli('retry', 'a')).code).toBe(0);
    await rig.journalSays(/task:reopened/);
    await go();
    expect((await run.finished).code).toBe(0);
    expect([rig.has('a'), rig.has('b'), rig.has('c')]).toEqual([true, true, true]);
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
      { 'parallel.yaml': SAYING('echo hello from $PARALLEL_AGENT_ID') },
      'plan',
    );
    expect((await rig.cli('run')).code).toBe(0);
    expect((await rig.cli('logs', 'one')).stdout).toContain('hello from agent-1');
  });

  it('an answer is whole, also one that no pipe can hold', async () => {
    await rig.repository.commit({ 'parallel.yaml': SAYING('seq 300000') }, 'plan');
    expect((await rig.cli('run')).code).toBe(0);
    const { stdout } = await rig.cli('logs', 'one');
    expect(stdout.match(/^\d+$/gm)).toHaveLength(300_000);
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

  it('by its end with failures goes on with retry, with exit codes as run', async () => {
    const agent =
      'test "$PARALLEL_TASK_ID" != a || test -e "$PARALLEL_ROOT/.parallel/mended" || exit 3; echo x > "$PARALLEL_TASK_ID"';
    await rig.repository.commit({ 'parallel.yaml': RETRIED(agent) }, 'plan');
    expect((await rig.cli('run')).code).toBe(1);
    expect((await rig.cli('resume')).stdout).toContain('retry --all');
    expect((await rig.cli('retry', 'a', '--progress=none')).code).toBe(1);
    await rig.write({ '.parallel/mended': '' });
    const { code, stdout } = await rig.cli('retry', '--all', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as RunResult).parallel_execution.tasks).toMatchObject({
      completed: 3,
      failed: 0,
    });
    expect((await rig.cli('retry', '--all')).stdout).toContain('Nothing to retry');
    expect(rig.worktrees()).toEqual([]);
  });

  it('by kill -9 takes with it the agents, also suspended ones, and what they started', async () => {
    const agent =
      'setsid -f sh -c "echo \\$\\$ > \\"\\$PARALLEL_ROOT/.parallel/\\$PARALLEL_TASK_ID-child.pid\\"; exec sleep 1000"; echo $$ > "$PARALLEL_ROOT/.parallel/$PARALLEL_TASK_ID.pid"; until test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done; echo x > $PARALLEL_TASK_ID';
    await rig.repository.commit({ 'parallel.yaml': RETRIED(agent) }, 'plan');
    const run = rig.start('run', '--agents=1');
    await Promise.all([started('a'), started('a-child')]);
    await rig.journalSays(/process:started/);
    await rig.cli('pause', '--suspend');
    const [leader, child] = [pidOf('a'), pidOf('a-child')];
    await until(() => isFrozen(child));
    run.child.kill('SIGKILL');
    await run.finished;
    await until(() => !isAlive(leader));
    expect((await rig.cli('agents', '3')).stdout).toContain('Noted');
    expect((await rig.cli('kill', 'b')).stdout).toContain('Noted');
    await go();
    const resumed = await rig.cli('resume', '--json');
    expect(isAlive(child)).toBe(false);
    const { parallel_execution: result } = JSON.parse(resumed.stdout) as RunResult;
    expect(result.results).toMatchObject({
      a: { status: 'completed' },
      b: { status: 'cancelled' },
      c: { status: 'completed' },
    });
    expect((await status()).counts.max_agents).toBe(3);
  });
});
