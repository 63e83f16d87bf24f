import { startedBench as bench } from '../testing/scheduler-bench';

describe('a run whose number of agents is changed', () => {
  const tasks = ['a', 'b', 'c', 'd', 'e'];

  it('starts more when it grows, and says so', () => {
    const run = bench({ tasks, settings: { maxAgents: 1 } });
    expect(run.take('acquire')).toEqual(['a']);
    run.ask({ kind: 'agents', maxAgents: 3 });
    expect(run.takeAll('acquire').map(({ task, slots }) => [task, slots])).toEqual([
      ['b', [1, 2, 3]],
      ['c', [1, 2, 3]],
    ]);
    expect(run.events('run:resized')).toMatchObject([{ maxAgents: 3, by: 'test' }]);
  });

  it('lets those at work beyond it finish, and asks for no slot above it', () => {
    const run = bench({ tasks, settings: { maxAgents: 3 } });
    run.lease('a', 1).lease('b', 2).lease('c', 3);
    run.take('acquire');
    run.ask({ kind: 'agents', maxAgents: 2 });
    expect(run.take('stop')).toEqual([]);
    run.queue('a');
    expect(run.take('acquire')).toEqual([]);
    run.queue('b');
    expect(run.takeAll('acquire').map(({ task, slots }) => [task, slots])).toEqual([['d', [1, 2]]]);
  });

  it('withdraws what it asked for too much, the least wanted first', () => {
    const run = bench({
      tasks: ['a', { id: 'b', priority: 80 }, 'c'],
      settings: { maxAgents: 3 },
    });
    run.ask({ kind: 'agents', maxAgents: 1 });
    expect(run.take('withdraw')).toEqual(['c', 'a']);
    expect(run.names('a', 'b', 'c')).toEqual(['pending', 'leasing', 'pending']);
  });

  it('gives a slot back that was granted beyond the new limit, and asks again', () => {
    const run = bench({ tasks: ['a'], settings: { maxAgents: 3 } });
    run.take('acquire');
    run.ask({ kind: 'agents', maxAgents: 2 }).lease('a', 3);
    expect(run.takeAll('free')).toMatchObject([{ task: 'a', what: 'all', token: 1 }]);
    expect(run.takeAll('acquire')).toMatchObject([{ task: 'a', attempt: 1, slots: [1, 2] }]);
    expect(run.nameOf('a')).toBe('leasing');
  });

  it('ignores a number that makes no sense, and the one it has', () => {
    const run = bench({ tasks, settings: { maxAgents: 2 } });
    for (const maxAgents of [0, -1, 1.5, NaN, 2]) run.ask({ kind: 'agents', maxAgents });
    expect(run.events('run:resized')).toEqual([]);
    expect(run.state.maxAgents).toBe(2);
  });
});

describe('a run that is suspended', () => {
  const draft = { tasks: ['a', 'b', 'c'], settings: { maxAgents: 2 } };

  it('stops agents where they are, keeps their leases, and lets them go on', () => {
    const run = bench(draft);
    run.lease('a', 1).ask({ kind: 'pause', suspend: true });
    expect(run.take('suspend')).toEqual(['a']);
    expect(run.take('withdraw')).toEqual(['b']);
    expect(run.take('free')).toEqual([]);
    expect(run.events('run:mode')).toMatchObject([{ mode: 'paused', suspended: true }]);
    run.ask({ kind: 'resume' });
    expect(run.take('continue')).toEqual(['a']);
    expect(run.state).toMatchObject({ mode: 'running', suspended: false });
    expect(run.nameOf('a')).toBe('running');
  });

  it('can be made of a pause, and is not undone by one', () => {
    const run = bench(draft);
    run.lease('a', 1).ask({ kind: 'pause' });
    expect(run.take('suspend')).toEqual([]);
    run.ask({ kind: 'pause', suspend: true }).ask({ kind: 'pause', suspend: true });
    expect(run.take('suspend')).toEqual(['a']);
    run.ask({ kind: 'pause' });
    expect(run.state.suspended).toBe(true);
    expect(run.take('continue')).toEqual([]);
  });

  it('wakes an agent before it interrupts it, and kills without waking', () => {
    const run = bench(draft);
    run.lease('a', 1).lease('b', 2).ask({ kind: 'pause', suspend: true });
    run.commands = [];
    run.ask({ kind: 'kill', target: 'b' });
    expect(run.commands.filter(({ type }) => type === 'stop' || type === 'continue')).toEqual([
      { type: 'stop', task: 'b', how: 'kill' },
    ]);
    run.commands = [];
    run.ask({ kind: 'stop', how: 'stop' });
    expect(run.commands.filter(({ type }) => type === 'stop' || type === 'continue')).toEqual([
      { type: 'continue', task: 'a' },
      { type: 'stop', task: 'a', how: 'interrupt' },
    ]);
    expect(run.state.suspended).toBe(false);
  });

  it('wakes agents to drain', () => {
    const run = bench(draft);
    run.lease('a', 1).ask({ kind: 'pause', suspend: true }).ask({ kind: 'stop', how: 'drain' });
    expect(run.take('continue')).toEqual(['a']);
    run.queue('a').land('a');
    expect(run.state.outcome).toBe('stopped');
  });

  it('is over after a restart', () => {
    const run = bench(draft);
    run.lease('a', 1).ask({ kind: 'pause', suspend: true });
    run.fail('a', { kind: 'interrupted', message: 'gone' }).resume();
    expect(run.state).toMatchObject({ mode: 'running', suspended: false });
  });
});
