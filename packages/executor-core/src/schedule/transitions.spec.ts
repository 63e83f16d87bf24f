import type { TaskId } from '../model/ids';
import { madeUnder, startedBench as bench } from '../testing/scheduler-bench';

const a = 'a' as TaskId;

describe('a report of an attempt that is not the current one', () => {
  it('does not hand in a result made under an older lease', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a', 1, 5).fail('a', { kind: 'lost-lease', token: 5 }).due('a').lease('a', 1, 9);
    run.commands = [];
    run.tell({ type: 'task:queued', task: a, attempt: 1, candidate: madeUnder(5) });
    run.tell({ type: 'task:queued', task: a, attempt: 2, candidate: madeUnder(5) });
    run.tell({ type: 'task:verifying', task: a, attempt: 1 });
    expect([run.nameOf('a'), run.commands]).toEqual(['running', []]);
    run.tell({ type: 'task:queued', task: a, attempt: 2, candidate: madeUnder(9) });
    expect(run.nameOf('a')).toBe('queued');
  });

  it('takes nothing from a later attempt, and counts for nothing', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a').fail('a').due('a').lease('a');
    run.commands = [];
    run.fail('a', { kind: 'agent-exit', code: 1, tail: '' }, 1);
    expect([run.nameOf('a'), run.commands, run.state.spent.get(0)]).toEqual(['running', [], 1]);
  });

  it('takes nothing from an attempt with the same number under another lease', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a', 1, 9);
    run.commands = [];
    run.fail('a', { kind: 'agent-exit', code: 1, tail: '' }, 1, 5);
    expect([run.nameOf('a'), run.commands]).toEqual(['running', []]);
  });

  it('gives the lease of a settled task back', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a', 1, 3).ask({ kind: 'kill', target: 'a' });
    run.commands = [];
    run.tell({ type: 'task:queued', task: a, attempt: 1, candidate: madeUnder(3) });
    expect(run.commands).toEqual([{ type: 'free', task: 'a', what: 'all', token: 3 }]);
  });
});

describe('a lease', () => {
  it('starts one attempt, however often it is reported', () => {
    const run = bench({ tasks: ['a'] });
    run.lease('a', 1, 4).lease('a', 1, 4);
    expect(run.take('start')).toEqual(['a']);
    run.fail('a').due('a').lease('a', 1, 4);
    expect([run.nameOf('a'), run.take('start')]).toEqual(['leasing', []]);
    run.take('free');
    run.lease('a', 1, 5);
    expect([run.nameOf('a'), run.take('free')]).toEqual(['running', []]);
  });

  it('ends the request that was made in its place while it was on its way', () => {
    const run = bench({ tasks: ['a'] });
    run.ask({ kind: 'pause' }).ask({ kind: 'resume' });
    run.commands = [];
    run.lease('a', 1, 4);
    expect(run.commands.map(({ type }) => type)).toEqual(['withdraw', 'start']);
    run.fail('a').due('a');
    run.commands = [];
    run.lease('a', 1, 5);
    expect(run.commands.map(({ type }) => type)).toEqual(['start']);
  });

  it('that nobody waits for is given back alone', () => {
    const run = bench({ tasks: ['a'] });
    run.lease('a', 1, 4).lease('a', 2, 6);
    expect(run.takeAll('free')).toEqual([{ type: 'free', task: 'a', what: 'all', token: 6 }]);
    expect(run.state.tasks.get(0)).toMatchObject({ name: 'running', token: 4 });
  });
});

describe('a candidate that is queued', () => {
  it('passes on to a newer lease, and only to a newer one', () => {
    const run = bench({ tasks: ['a'] });
    run.lease('a', 1, 4).queue('a');
    run.commands = [];
    run.tell({ type: 'task:queued', task: a, attempt: 1, candidate: madeUnder(4) });
    expect(run.commands).toEqual([]);
    run.tell({ type: 'task:queued', task: a, attempt: 1, candidate: madeUnder(8) });
    expect(run.state.tasks.get(0)).toMatchObject({ name: 'queued', candidate: { fence: 8 } });
  });

  it('may come from the cache, before the task has started', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.tell({ type: 'task:cached', task: a, candidate: madeUnder(0) });
    expect([run.nameOf('a'), run.take('withdraw'), run.takeAll('land')]).toMatchObject([
      'queued',
      ['a'],
      [{}],
    ]);
    run.lease('b', 2).tell({ type: 'task:cached', task: 'b' as TaskId, candidate: madeUnder(0) });
    expect(run.nameOf('b')).toBe('running');
  });
});

describe('what has landed', () => {
  it('has landed, whatever the task was doing', () => {
    const run = bench({ tasks: ['a', { id: 'b', dependsOn: ['a'] }] });
    run.lease('a').land('a');
    expect([run.nameOf('a'), run.take('stop'), run.take('free')]).toEqual(['landed', ['a'], []]);
    expect(run.take('acquire')).toEqual(['a', 'b']);
    // The agent has ended: now its lease can go.
    run.fail('a', { kind: 'interrupted', message: 'stopped' }, 1);
    expect(run.take('free')).toEqual(['a']);
  });

  it('has landed although it was cancelled in that moment, and blocks nobody', () => {
    const run = bench({ tasks: ['a', { id: 'b', dependsOn: ['a'] }, 'c'] });
    run.lease('a').queue('a').ask({ kind: 'kill', target: 'a' });
    expect(run.names('a', 'b')).toEqual(['cancelled', 'blocked']);
    run.land('a');
    expect(run.names('a', 'b')).toEqual(['landed', 'leasing']);
  });
});
