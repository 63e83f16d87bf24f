import { startedBench as bench } from '../testing/scheduler-bench';
import { evolve } from './evolve';
import { initialState } from './run-state';

describe('the scheduler', () => {
  it('asks for everything that is ready at once, and no more than there are slots', () => {
    const run = bench({ tasks: ['a', 'b', 'c'], settings: { maxAgents: 2 } });
    expect(run.take('acquire')).toEqual(['a', 'b']);
    run.lease('a', 1).queue('a');
    expect(run.take('acquire')).toEqual(['c']);
  });

  it('prefers the home slot and offers every other one', () => {
    const run = bench({ tasks: ['a', 'b'], settings: { maxAgents: 3 } });
    const slots = run.commands.flatMap((c) => (c.type === 'acquire' ? [c.slots] : []));
    expect(slots).toEqual([
      [1, 2, 3],
      [2, 1, 3],
    ]);
  });

  it('starts a task only when what it depends on has landed', () => {
    const run = bench({ tasks: ['a', { id: 'b', dependsOn: ['a'] }] });
    expect(run.take('acquire')).toEqual(['a']);
    run.lease('a').queue('a');
    expect(run.take('acquire')).toEqual([]);
    run.land('a');
    expect(run.take('acquire')).toEqual(['b']);
  });

  it('takes critical before high before normal, then the longest path, then plan order', () => {
    const run = bench({
      settings: { maxAgents: 1 },
      tasks: [
        'normal',
        'root',
        { id: 'leaf', dependsOn: ['root'] },
        { id: 'high', priority: 80 },
        { id: 'critical', priority: 95 },
      ],
    });
    const order: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const [task = ''] = run.take('acquire');
      order.push(task);
      run.lease(task).queue(task).land(task);
    }
    expect(order).toEqual(['critical', 'high', 'root', 'normal', 'leaf']);
  });

  it('never runs overlapping writers together, and nobody overtakes the one that waits', () => {
    const run = bench({
      tasks: [
        { id: 'narrow', writes: ['src/a/**'] },
        { id: 'wide', writes: ['src/**'] },
        { id: 'other', writes: ['src/b/**'] },
        { id: 'apart', writes: ['docs/**'] },
      ],
    });
    expect(run.take('acquire')).toEqual(['narrow', 'apart']);
    run.lease('narrow').queue('narrow').land('narrow');
    expect(run.take('acquire')).toEqual(['wide']);
    run.lease('wide').queue('wide').land('wide');
    expect(run.take('acquire')).toEqual(['other']);
  });

  it('runs overlapping writers together under a conflict policy', () => {
    const run = bench({
      settings: { conflictPolicy: 'auto_merge' },
      tasks: [
        { id: 'a', writes: ['src/**'] },
        { id: 'b', writes: ['src/**'] },
      ],
    });
    expect(run.take('acquire')).toEqual(['a', 'b']);
  });

  it('keeps the limits of teams, task types, profiles and exclusive resources', () => {
    const db = { id: 'db', exclusive: true };
    const run = bench({
      agents: [{ maxParallel: 3 }],
      settings: { limits: { team: { dev: 1 }, taskType: { heavy: 1 } } },
      tasks: [
        { id: 'd1', team: 'dev' },
        { id: 'd2', team: 'dev' },
        { id: 'h1', taskType: 'heavy', resources: [db] },
        { id: 'h2', taskType: 'heavy' },
        { id: 'r', resources: [db] },
        { id: 'x' },
        { id: 'y' },
      ],
    });
    expect(run.take('acquire')).toEqual(['d1', 'h1', 'x']);
  });

  it('opens a phase when everything before it has landed, and says so', () => {
    const run = bench({
      phases: ['one', 'two'],
      tasks: [{ id: 'a', phase: 'one' }, { id: 'b', phase: 'two' }, 'free'],
    });
    expect(run.take('acquire')).toEqual(['a', 'free']);
    run.lease('a').queue('a').land('a');
    expect(run.journal.filter((e) => e.type === 'barrier:opened')).toMatchObject([
      { barrier: 'one' },
    ]);
    expect(run.take('acquire')).toEqual(['b']);
  });

  it('passes a milestone without lease or slot, once', () => {
    const run = bench({
      tasks: [
        { id: 'mark', profile: null },
        { id: 'b', dependsOn: ['mark'] },
      ],
    });
    expect(run.take('pass')).toEqual(['mark']);
    run.land('mark');
    expect(run.take('pass')).toEqual([]);
    expect(run.take('acquire')).toEqual(['b']);
  });

  it('retries with the failure kept, then fails and blocks what depends on it, however far', () => {
    const run = bench({
      settings: { retry: { maxRetries: 1, backoff: 'none', baseMs: 0, maxMs: 0 } },
      phases: ['p', 'q'],
      tasks: [
        { id: 'a', phase: 'p' },
        { id: 'b', dependsOn: ['a'] },
        { id: 'c', dependsOn: ['b'] },
        { id: 'later', phase: 'q' },
        'free',
      ],
    });
    run.lease('a').fail('a');
    expect(run.nameOf('a')).toBe('backoff');
    expect(run.take('wake')).toEqual(['a']);
    run.due('a').lease('a').fail('a');
    expect(['a', 'b', 'c', 'later', 'free'].map((id) => run.nameOf(id))).toEqual([
      'failed',
      'blocked',
      'blocked',
      'blocked',
      'leasing',
    ]);
  });

  it('does not count an attempt the agent asked to repeat later', () => {
    const run = bench({
      settings: { retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } },
      tasks: ['a'],
    });
    for (let i = 0; i < 5; i += 1)
      run.lease('a').fail('a', { kind: 'try-later', tail: '' }).due('a');
    expect(run.nameOf('a')).toBe('leasing');
    run.lease('a').fail('a');
    expect(run.nameOf('a')).toBe('failed');
  });

  it('cancels the rest at the first failure when told to fail fast', () => {
    const run = bench({
      settings: {
        failureStrategy: 'fail_fast',
        maxAgents: 2,
        retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 },
      },
      tasks: ['a', 'b', 'c'],
    });
    run.lease('a', 1).lease('b', 2).fail('a');
    expect(run.take('stop')).toEqual(['b']);
    expect(run.nameOf('c')).toBe('cancelled');
    expect(run.state.outcome).toBe('failed');
  });

  it('starts nothing while paused, keeps what runs, and goes on when resumed', () => {
    const run = bench({ tasks: ['a', { id: 'b', dependsOn: ['a'] }] });
    run.lease('a').ask({ kind: 'pause' }).queue('a').land('a');
    expect(run.take('acquire')).toEqual(['a']);
    expect(run.take('stop')).toEqual([]);
    run.ask({ kind: 'resume' });
    expect(run.take('acquire')).toEqual(['b']);
  });

  it('gives a lease back that is granted after the task was withdrawn', () => {
    const run = bench({ tasks: ['a'] });
    run.ask({ kind: 'pause' });
    expect(run.take('withdraw')).toEqual(['a']);
    run.lease('a');
    expect(run.take('free')).toEqual(['a']);
    expect(run.nameOf('a')).toBe('pending');
  });

  it('kills by slot, by task, and all', () => {
    const run = bench({ tasks: ['a', 'b', { id: 'c', dependsOn: ['a'] }, 'd'] });
    run.lease('a', 3).lease('b', 4).ask({ kind: 'kill', target: 'agent-3' });
    expect(run.take('stop')).toEqual(['a']);
    expect([run.nameOf('a'), run.nameOf('c')]).toEqual(['cancelled', 'blocked']);
    run.ask({ kind: 'kill', target: 'all' });
    expect([run.nameOf('b'), run.nameOf('d')]).toEqual(['cancelled', 'cancelled']);
    expect(run.state.outcome).toBe('failed');
  });

  it('drains: what runs lands, nothing starts, the run ends as stopped', () => {
    const run = bench({ tasks: ['a', 'b'], settings: { maxAgents: 1 } });
    run.lease('a').ask({ kind: 'stop', how: 'drain' });
    expect(run.state.outcome).toBeNull();
    run.queue('a').land('a');
    expect([run.state.outcome, run.nameOf('b')]).toEqual(['stopped', 'pending']);
  });

  it('stops: attempts are interrupted and their tasks wait for a resume', () => {
    const run = bench({ tasks: ['a'] });
    run.lease('a').ask({ kind: 'stop', how: 'stop' });
    expect(run.take('stop')).toEqual(['a']);
    run.fail('a', { kind: 'interrupted', message: 'stopped' });
    expect([run.nameOf('a'), run.state.outcome]).toEqual(['pending', 'stopped']);
    run.resume();
    expect(run.take('acquire').at(-1)).toBe('a');
  });

  it('leaves a conflict to a person under the manual policy', () => {
    const run = bench({
      settings: { conflictPolicy: 'manual' },
      tasks: ['a', { id: 'b', dependsOn: ['a'] }],
    });
    run
      .lease('a')
      .queue('a')
      .fail('a', { kind: 'conflict', paths: ['x'], onto: 'y' });
    expect([run.nameOf('a'), run.nameOf('b')]).toEqual(['conflicted', 'blocked']);
  });

  it('ignores late, repeated and foreign facts', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a').queue('a').land('a');
    const before = run.state;
    run.commands = [];
    run.land('a').queue('a').fail('a').land('nobody').due('a');
    expect(run.state.tasks).toEqual(before.tasks);
    expect(run.take('acquire')).toEqual([]);
  });

  it('is rebuilt exactly by folding the journal', () => {
    const run = bench({
      settings: { maxAgents: 2 },
      tasks: ['a', 'b', { id: 'c', dependsOn: ['a'] }, 'd'],
    });
    run.lease('a', 1).lease('b', 2).queue('a').land('a').fail('b').due('b').ask({ kind: 'pause' });
    const folded = run.journal.reduce(evolve, initialState(run.state.problem));
    expect(folded).toEqual(run.state);
  });

  it('waits after a restart for what is left of a back-off, however the clock was set meanwhile', () => {
    const retry = { maxRetries: 3, backoff: 'fixed', baseMs: 1000, maxMs: 1000 } as const;
    const leftAt = (now: number): number | undefined => {
      const run = bench({ settings: { retry }, tasks: ['a'] });
      run.now = 7_200_000;
      run.lease('a').fail('a');
      expect(run.takeAll('wake')).toEqual([{ type: 'wake', task: 'a', afterMs: 1000 }]);
      run.now = now;
      run.resume();
      return run.takeAll('wake')[0]?.afterMs;
    };
    expect([7_200_400, 9_000_000, 5, 7_199_999].map(leftAt)).toEqual([600, 0, 1000, 1000]);
  });
});
