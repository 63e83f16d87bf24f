import { startedBench as bench } from '../testing/scheduler-bench';

const noRetry = { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } as const;
const oneRetry = { ...noRetry, maxRetries: 1 };

describe('a retry by hand', () => {
  it('runs a failed task again with all its retries, and the attempt number goes on', () => {
    const run = bench({ tasks: ['a'], settings: { retry: oneRetry } });
    run.lease('a').fail('a').due('a').lease('a').fail('a');
    expect([run.nameOf('a'), run.attemptOf('a')]).toEqual(['failed', 2]);
    run.ask({ kind: 'retry', target: 'a' });
    // It was the last task, so the run was over: the retry waits for a resume.
    expect(run.nameOf('a')).toBe('failed');
    run.take('acquire');
    run.resume();
    expect(run.takeAll('acquire')).toMatchObject([{ task: 'a', attempt: 3 }]);
    run.lease('a').fail('a');
    expect(run.nameOf('a')).toBe('backoff');
  });

  it('frees what was blocked because of it, however far', () => {
    const run = bench({
      settings: { retry: noRetry },
      phases: ['p', 'q'],
      tasks: [
        { id: 'a', phase: 'p' },
        { id: 'b', dependsOn: ['a'] },
        { id: 'c', dependsOn: ['b'] },
        { id: 'later', phase: 'q' },
        'open',
      ],
    });
    run.lease('a').fail('a');
    expect(run.names('b', 'c', 'later')).toEqual(['blocked', 'blocked', 'blocked']);
    run.ask({ kind: 'retry', target: 'a' });
    expect(run.names('a', 'b', 'c', 'later')).toEqual(['leasing', 'pending', 'pending', 'pending']);
    expect(run.events('task:reopened').map(({ task }) => task)).toEqual(['a', 'b', 'c', 'later']);
    run.finish('a').finish('b').finish('c').finish('later').finish('open');
    expect(run.state.outcome).toBe('completed');
  });

  it('reopens the cause of a blocked task with it, and says for whom', () => {
    const run = bench({
      settings: { retry: noRetry },
      tasks: ['a', { id: 'b', dependsOn: ['a'] }, { id: 'c', dependsOn: ['b'] }, 'open'],
    });
    run.lease('a').fail('a').ask({ kind: 'retry', target: 'c' });
    expect(run.events('task:reopened')).toMatchObject([
      { task: 'a', by: 'test, for c' },
      { task: 'b', by: 'test' },
      { task: 'c', by: 'test' },
    ]);
    expect(run.attemptOf('c')).toBe(1);
  });

  it('leaves blocked what something else still blocks, and names that', () => {
    const run = bench({
      settings: { retry: noRetry },
      tasks: ['a', 'b', { id: 'c', dependsOn: ['a', 'b'] }, 'open'],
    });
    run.lease('a', 1).lease('b', 2).fail('a').fail('b').ask({ kind: 'retry', target: 'a' });
    expect(run.names('a', 'b', 'c')).toEqual(['leasing', 'failed', 'blocked']);
    expect(run.state.tasks.get(2)).toMatchObject({ by: 'b' });
    run.ask({ kind: 'retry', target: 'c' });
    expect(run.names('b', 'c')).toEqual(['leasing', 'pending']);
  });

  it('takes all that did not land with "all", and never what landed', () => {
    const run = bench({
      settings: { retry: noRetry, conflictPolicy: 'manual' },
      tasks: ['done', 'bad', 'killed', 'torn', 'open'],
    });
    run.finish('done').lease('bad').fail('bad').ask({ kind: 'kill', target: 'killed' });
    run
      .lease('torn')
      .queue('torn')
      .fail('torn', { kind: 'conflict', paths: ['x'], onto: 'y' });
    expect(run.names('bad', 'killed', 'torn')).toEqual(['failed', 'cancelled', 'conflicted']);
    run.ask({ kind: 'retry', target: 'all' });
    expect(run.names('done', 'bad', 'killed', 'torn')).toEqual([
      'landed',
      'leasing',
      'leasing',
      'leasing',
    ]);
  });

  it('takes each retry that was asked for while nothing ran up once, when the run is resumed', () => {
    const run = bench({ tasks: ['a', 'b'], settings: { retry: noRetry } });
    run.lease('a', 1).lease('b', 2).fail('a').fail('b');
    expect(run.state.outcome).toBe('failed');
    run.ask({ kind: 'retry', target: 'b' }).resume();
    expect(run.names('a', 'b')).toEqual(['failed', 'leasing']);
    run.lease('b').fail('b').resume();
    expect([run.nameOf('b'), run.state.outcome]).toEqual(['failed', 'failed']);
  });

  it('waits for the resume of a run that winds down', () => {
    const run = bench({ tasks: ['a', 'b'], settings: { retry: noRetry } });
    run.lease('a', 1).lease('b', 2).fail('a').ask({ kind: 'stop', how: 'drain' });
    run.take('acquire');
    run.ask({ kind: 'retry', target: 'a' });
    expect([run.nameOf('a'), run.take('acquire')]).toEqual(['pending', []]);
    run.queue('b').land('b');
    expect(run.state.outcome).toBe('stopped');
    run.resume();
    expect(run.take('acquire')).toEqual(['a']);
  });

  it('ignores tasks that are under way, that landed, and that do not exist', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.finish('a');
    for (const target of ['a', 'b', 'nobody']) run.ask({ kind: 'retry', target });
    expect(run.events('task:reopened')).toEqual([]);
  });

  it('lets the lease of the killed attempt go when its report comes in late', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a', 1, 7).ask({ kind: 'kill', target: 'a' }).ask({ kind: 'retry', target: 'a' });
    run.take('free');
    run.fail('a', { kind: 'interrupted', message: 'stopped' }, 1, 7);
    expect(run.take('free')).toEqual(['a']);
    expect([run.nameOf('a'), run.attemptOf('a')]).toEqual(['leasing', 2]);
    expect(run.state.free.get(0)).toBe(0);
  });
});

describe('a run whose last decisions were lost in a crash', () => {
  it('blocks what must be blocked when it is resumed', () => {
    const run = bench({
      settings: { retry: noRetry },
      tasks: ['a', { id: 'b', dependsOn: ['a'] }, 'c'],
    });
    run.lease('a').fail('a');
    const { state } = run;
    const [index, pending] = [1, { name: 'pending', attempt: 1 } as const];
    run.state = { ...state, tasks: state.tasks.with(index, pending), settled: state.settled - 1 };
    run.resume();
    expect(run.state.tasks.get(index)).toMatchObject({ name: 'blocked', by: 'a' });
  });
});
