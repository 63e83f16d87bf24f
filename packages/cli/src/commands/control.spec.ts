import type { BarrierOutcome, BarrierWait } from '@parallel-executor/core';
import { parseRunId, parseTaskId } from '@parallel-executor/core';
import { main } from '../main';
import { controlled, FakeWorld, fakeWorkspace } from '../testing/fake-world';

function cli(world: FakeWorld, ...words: readonly string[]): Promise<number> {
  return main(['node', 'parallel-cli', ...words], world);
}

describe('pause, kill and agents', () => {
  it('hand the request to the live run', async () => {
    const { workspace, requests } = controlled({ delivered: true, reason: null });
    const world = new FakeWorld(workspace);
    expect(await cli(world, 'pause')).toBe(0);
    expect(await cli(world, 'pause', '--suspend')).toBe(0);
    expect(await cli(world, 'kill', 'agent-3')).toBe(0);
    expect(await cli(world, 'kill', '--all')).toBe(0);
    expect(await cli(world, 'agents', '10')).toBe(0);
    expect(requests).toEqual([
      { kind: 'pause' },
      { kind: 'pause', suspend: true },
      { kind: 'kill', target: 'agent-3' },
      { kind: 'kill', target: 'all' },
      { kind: 'agents', maxAgents: 10 },
    ]);
    expect(world.stdout.text).toContain('Asked PEXEC-1: kill agent-3.');
    expect(world.stdout.text).toContain('Asked PEXEC-1: pause --suspend.');
  });

  it('fail when nobody will take the request', async () => {
    const { workspace } = controlled({ delivered: false, reason: 'PEXEC-1 has ended' });
    const world = new FakeWorld(workspace);
    expect(await cli(world, 'pause')).toBe(1);
    expect(world.stderr.text).toContain('PEXEC-1 has ended');
    expect(world.stdout.text).toBe('');
  });

  it('succeed when the request waits for the run to go on', async () => {
    const reason = 'the process of PEXEC-1 is gone; parallel-cli resume applies it';
    const { workspace } = controlled({ delivered: false, kept: true, reason });
    const world = new FakeWorld(workspace);
    expect(await cli(world, 'agents', '3')).toBe(0);
    expect(world.stdout.text).toBe(`Noted for PEXEC-1: agents 3; ${reason}.\n`);
    expect(await cli(world, 'agents', '3', '--json')).toBe(0);
    expect(world.stdout.text).toContain('"kept": true');
  });
});

describe('retry', () => {
  const asked: (readonly [string, string | undefined])[] = [];
  beforeEach(() => {
    asked.length = 0;
  });
  const world = (kind: 'signalled' | 'nothing'): FakeWorld =>
    new FakeWorld(
      fakeWorkspace({
        retry: (target, run) => {
          asked.push([target, run]);
          return Promise.resolve(
            kind === 'signalled'
              ? { kind, runId: parseRunId('PEXEC-1') }
              : { kind, reason: 'every task landed' },
          );
        },
      }),
    );

  it('names a task, all of them, and the run', async () => {
    const live = world('signalled');
    expect(await cli(live, 'retry', 'api')).toBe(0);
    expect(await cli(live, 'retry', 'api', 'PEXEC-1')).toBe(0);
    expect(await cli(live, 'retry', '--all')).toBe(0);
    expect(await cli(live, 'retry', '--all', 'PEXEC-1')).toBe(0);
    expect(asked).toEqual([
      ['api', undefined],
      ['api', 'PEXEC-1'],
      ['all', undefined],
      ['all', 'PEXEC-1'],
    ]);
    expect(live.stdout.text).toContain('PEXEC-1 tries api again.');
    expect(live.stdout.text).toContain('PEXEC-1 tries what did not land again.');
  });

  it('says when there is nothing to retry', async () => {
    const done = world('nothing');
    expect(await cli(done, 'retry', '--all')).toBe(0);
    expect(done.stdout.text).toContain('Nothing to retry: every task landed');
    expect(await cli(done, 'retry', '--all', '--json')).toBe(0);
    expect(done.stdout.text).toContain('"retried": false');
  });
});

describe('barrier wait', () => {
  const answer = (outcome: BarrierOutcome): BarrierWait => ({
    run: parseRunId('PEXEC-1'),
    barrier: 'one',
    outcome,
    reason: outcome === 'opened' ? null : 'not landed yet: a (running)',
    open: outcome === 'opened' ? [] : [{ task: parseTaskId('a'), state: 'running' }],
    waitedMs: 120_000,
  });

  it.each([
    ['opened', 0, 'one is open.'],
    ['broken', 1, 'one can never open: not landed'],
    ['over', 1, 'one is not open'],
    ['gone', 1, 'one is not open'],
    ['timeout', 3, 'one did not open within 2 min'],
    ['left', 130, 'one is not open'],
  ] as const)('%s ends with %d and says so', async (outcome, code, text) => {
    const world = new FakeWorld(
      fakeWorkspace({ waitAtBarrier: () => Promise.resolve(answer(outcome)) }),
    );
    expect(await cli(world, 'barrier', 'wait', 'one')).toBe(code);
    expect(world.stdout.text + world.stderr.text).toContain(text);
    expect(world.stdout.text === '').toBe(outcome !== 'opened');
    expect(await cli(world, 'barrier', 'wait', 'one', '--json')).toBe(code);
    expect(JSON.parse(world.stdout.text.replace(/^one is open\.\n/, ''))).toMatchObject({
      schemaVersion: 1,
      run: 'PEXEC-1',
      barrier: 'one',
      opened: outcome === 'opened',
      outcome,
    });
    expect(world.leftovers).toBe(0);
  });

  it('passes on the run, the time, and that nobody waits any longer', async () => {
    const world: FakeWorld = new FakeWorld(
      fakeWorkspace({
        waitAtBarrier: (barrier, { run, timeoutMs, signal } = {}) => {
          expect([barrier, run, timeoutMs]).toEqual(['one', 'PEXEC-1', 120_000]);
          world.send('SIGINT');
          return Promise.resolve(answer(signal?.aborted === true ? 'left' : 'opened'));
        },
      }),
    );
    const words = ['barrier', 'wait', 'one', '--run', 'PEXEC-1', '--timeout', '120s'];
    expect(await cli(world, ...words)).toBe(130);
  });
});
