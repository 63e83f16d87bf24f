import {
  failed,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from '@parallel-executor/core/testing';
import type { Plan, RunEvent } from '@parallel-executor/core';
import { main } from './main';
import {
  FakeOut,
  FakeReader,
  FakeRun,
  FakeWorld,
  fakeWorkspace,
  loaded,
} from './testing/fake-world';

const plan = planOf({ a: {}, b: { dependsOn: ['a'] } });

function finished(at: number, outcome: 'completed' | 'failed' | 'stopped'): RunEvent {
  return { type: 'run:finished', at: second(at), outcome };
}

/** A world whose workspace starts `run`; `words` follow `parallel-cli run`. */
function start(words: readonly string[], stderr = new FakeOut()) {
  const run = new FakeRun(plan);
  let listening: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const on = run.events.on;
  run.events.on = (listener) => {
    listening();
    return on(listener);
  };
  const plans: Plan[] = [];
  const world = new FakeWorld(
    fakeWorkspace({
      loadPlan: () => Promise.resolve(loaded(plan)),
      start: (given) => {
        plans.push(given);
        return Promise.resolve(run);
      },
    }),
    { stderr },
  );
  const code = main(['node', 'parallel-cli', 'run', ...words], world);
  return { run, world, code, ready, plans };
}

const GOOD: readonly RunEvent[] = [
  runStarted(plan),
  ...started('a', 1, 0),
  ...landed('a', 2),
  ...started('b', 1, 2),
  ...landed('b', 5),
  finished(5, 'completed'),
];

describe('run', () => {
  it('prints a line per state change on stderr and the outcome on stdout', async () => {
    const { run, world, code, ready } = start(['--progress', 'plain']);
    await ready;
    run.emit(...GOOD);
    run.end();
    expect(await code).toBe(0);
    expect(world.stderr.text).toContain('landed  a  (attempt 1, 2.0 s, 1 file)');
    expect(world.stdout.text).toContain('landed 2 of 2  in 5.0 s');
    expect(world.stdout.text).toContain(`Report: ${run.reportPath}`);
    expect(world.leftovers).toBe(0);
  });

  it.each([
    [['--squash', '--land', 'branch'], { land: 'branch', commits: 'squash' }],
    [['--merge-commits'], { land: 'target', commits: 'merge' }],
    [[], { land: 'target' }],
  ])('starts the plan with what %j says about landing', async (words, expected) => {
    const { run, code, ready, plans } = start([...words, '--progress', 'none']);
    await ready;
    run.emit(...GOOD);
    run.end();
    expect(await code).toBe(0);
    expect(plans.map(({ settings }) => settings)).toEqual([{ ...plan.settings, ...expected }]);
  });

  it('replays the tail of a failure once, says what it blocks, and where the log is', async () => {
    const { run, world, code, ready } = start(['--progress', 'none']);
    await ready;
    const tail = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
    run.emit(
      runStarted(plan),
      ...started('a', 1, 0),
      ...failed('a', 2).map((event) =>
        'failure' in event
          ? { ...event, failure: { kind: 'agent-exit', code: 3, tail: `${tail}\n` } as const }
          : event,
      ),
      {
        type: 'task:blocked',
        at: second(2),
        task: plan.tasks[1]?.id ?? fail(),
        by: plan.tasks[0]?.id ?? fail(),
      },
      finished(2, 'failed'),
    );
    run.end();
    expect(await code).toBe(1);
    const { text } = world.stdout;
    expect(text).toContain(
      'failed  a  (attempt 1): agent exited with code 3; 1 task blocked by it',
    );
    expect(text).toContain(
      '  attempt 1: agent-failed: agent exited with code 3; it left no work\n',
    );
    expect(text.match(/line 29/g)).toHaveLength(1);
    expect(text).toContain('line 10\n');
    expect(text).not.toContain('line 9\n');
    expect(text).toContain('tasks/a/attempt-1/transcript.log');
    expect(text).toContain('failed 1, blocked 1');
    expect(text).toContain('parallel-cli logs a');
  });

  it('with --json prints the result object and nothing else on stdout', async () => {
    const { run, world, code, ready } = start(['--json']);
    await ready;
    run.emit(...GOOD);
    run.end();
    expect(await code).toBe(0);
    expect(JSON.parse(world.stdout.text)).toMatchObject({
      schemaVersion: 1,
      parallel_execution: { status: 'completed' },
    });
  });

  it('with --progress=json prints the events on stdout, or on stderr beside --json', async () => {
    for (const [words, stream] of [
      [['--progress', 'json'], 'stdout'],
      [['--progress=json', '--json'], 'stderr'],
    ] as const) {
      const { run, world, code, ready } = start(words);
      await ready;
      run.emit(...GOOD);
      run.end();
      await code;
      const lines = world[stream].text.split('\n').filter((line) => line.startsWith('{"type"'));
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(GOOD);
      if (stream === 'stderr') expect(() => JSON.parse(world.stdout.text) as unknown).not.toThrow();
    }
  });

  it('paints the panel in a terminal and leaves the last frame', async () => {
    const { run, world, code, ready } = start([], new FakeOut(true, 80, 40));
    await ready;
    run.emit(...GOOD.slice(0, 4));
    expect(world.stderr.text).toContain('PARALLEL EXECUTOR STATUS');
    world.time = second(1);
    world.tick(100);
    expect(world.stderr.text).toContain('Agent-1 [codemod]');
    run.emit(...GOOD.slice(4));
    run.end();
    await code;
    expect(world.stderr.text).toContain('completed');
    expect(world.stderr.text.endsWith('\u001B[?25h')).toBe(true);
    expect(world.leftovers).toBe(0);
  });

  it('gives a sign of life after a minute without news', async () => {
    const { run, world, code, ready } = start(['--progress', 'plain']);
    await ready;
    run.emit(...GOOD.slice(0, 4));
    world.tick(30_000);
    expect(world.stderr.text).not.toContain('still running');
    world.tick(31_000);
    expect(world.stderr.text).toContain('still running: 1 agent at work, 0 of 2 tasks landed');
    run.emit(...GOOD.slice(4));
    run.end();
    await code;
  });
});

describe('signals', () => {
  it('Ctrl-C drains, then stops, then kills, and always tells how to resume', async () => {
    const { run, world, code, ready } = start(['--progress', 'plain']);
    await ready;
    run.emit(...GOOD.slice(0, 4));
    for (let nth = 1; nth <= 3; nth += 1) {
      world.send('SIGINT');
      expect(world.stderr.text.match(/parallel-cli resume/g)).toHaveLength(nth);
    }
    expect(run.calls).toEqual(['stop drain', 'stop stop', 'stop kill']);
    run.emit(finished(3, 'stopped'));
    run.end();
    expect(await code).toBe(130);
    expect(world.stdout.text).toContain('Continue with: parallel-cli resume');
  });

  it('SIGTERM and SIGHUP stop, and end with 143', async () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const { run, world, code, ready } = start(['--progress', 'plain']);
      await ready;
      world.send(signal);
      expect(run.calls).toEqual(['stop stop']);
      run.emit(finished(3, 'stopped'));
      run.end();
      expect(await code).toBe(143);
    }
  });
});

describe('resume', () => {
  it('continues a crashed run: its past is counted but not told again', async () => {
    const run = new FakeRun(plan);
    const past = [...GOOD.slice(0, 1), ...started('a', 1, 0), ...landed('a', 2)];
    const reader = new FakeReader(plan, [...past]);
    let read: () => void = () => undefined;
    const wasRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    const events = reader.events;
    reader.events = async () => {
      const known = await events();
      read();
      return known;
    };
    run.journal.push(...past);
    const world = new FakeWorld(
      fakeWorkspace({
        resume: () => Promise.resolve({ kind: 'resumed', run }),
        reader: () => Promise.resolve(reader),
      }),
    );
    const code = main(['node', 'parallel-cli', 'resume', '--progress', 'plain'], world);
    await wasRead;
    const owner = { pid: 1, startTime: '', bootId: '', host: '' };
    run.emit(
      { type: 'run:resumed', at: second(100), owner },
      ...started('b', 1, 100),
      ...landed('b', 105),
      finished(105, 'completed'),
    );
    run.end();
    expect(await code).toBe(0);
    expect(world.stderr.text).toContain('landed  b');
    expect(world.stderr.text).not.toContain('landed  a');
    expect(world.stdout.text).toContain('landed 2 of 2');
  });

  it('of a live paused run tells it to go on; without one says so', async () => {
    const world = new FakeWorld(
      fakeWorkspace({
        resume: () => Promise.resolve({ kind: 'nothing', reason: 'there is no run yet' }),
      }),
    );
    expect(await main(['node', 'parallel-cli', 'resume'], world)).toBe(0);
    expect(world.stdout.text).toContain('there is no run yet');
  });
});

function fail(): never {
  throw new Error('the plan has this task');
}
