import type { TaskId } from '../model/ids';
import { startedBench as bench, madeUnder } from '../testing/scheduler-bench';

const slotsOf = (run: ReturnType<typeof bench>): readonly (readonly number[])[] =>
  run.takeAll('acquire').map(({ slots }) => slots);

describe('stealing', () => {
  it('is told when a task works elsewhere because its home is busy, with what', () => {
    const run = bench({
      tasks: ['a', 'b', { id: 'c', homeSlot: 1 }],
      settings: { maxAgents: 2 },
    });
    run.lease('a', 1).lease('b', 2).queue('b').lease('c', 2);
    expect(run.events('task:stolen')).toMatchObject([
      { task: 'c', from: 1, to: 2, reason: 'agent-1 is busy with a' },
    ]);
  });

  it('is told when the home is no slot any more', () => {
    const run = bench({ tasks: ['a', 'b', 'c'], settings: { maxAgents: 3 } });
    run.ask({ kind: 'agents', maxAgents: 1 }).finish('a', 1).lease('b', 1);
    expect(run.events('task:stolen')).toMatchObject([
      { task: 'b', from: 2, to: 1, reason: 'agent-2 is beyond the 1 in use' },
    ]);
  });

  it('is not told of a task at home, nor when its home is idle', () => {
    const run = bench({ tasks: ['a', 'b'], settings: { maxAgents: 3 } });
    run.lease('a', 1).lease('b', 3);
    expect(run.events('task:stolen')).toEqual([]);
  });

  it('never moves a task that has started', () => {
    const run = bench({ tasks: ['a', { id: 'b', homeSlot: 1 }], settings: { maxAgents: 2 } });
    run.lease('a', 1).lease('b', 2);
    const before = run.events('task:stolen').length;
    run.queue('a').land('a');
    expect(run.events('task:stolen')).toHaveLength(before);
    expect(run.state.tasks.get(1)).toMatchObject({ name: 'running', slot: 2 });
  });
});

describe('the slots a task asks for', () => {
  it('are its home, then those whose last task had its profile, then idle ones, then busy ones', () => {
    const run = bench({
      agents: [{ name: 'ui' }, { name: 'db' }],
      settings: { maxAgents: 5 },
      tasks: [
        { id: 'busy', profile: 'ui' },
        { id: 'd', profile: 'db' },
        { id: 'u', profile: 'ui' },
        { id: 'next', profile: 'ui', homeSlot: 5, dependsOn: ['u', 'd'] },
      ],
    });
    run.lease('busy', 1).lease('d', 2).lease('u', 4).queue('d').land('d').queue('u');
    run.take('acquire');
    run.land('u');
    expect(slotsOf(run)).toEqual([[5, 4, 2, 3, 1]]);
  });

  it('keep the memory of profiles over a fold', () => {
    const run = bench({ tasks: ['a'], settings: { maxAgents: 3 } });
    run.lease('a', 2);
    expect(run.state.lastProfiles).toEqual([null, 'shell']);
  });
});

describe('a slot', () => {
  const a = 'a' as TaskId;
  const begun = () => {
    const run = bench({ tasks: ['a', 'b'], settings: { maxAgents: 1 } });
    run.lease('a', 1, 4);
    run.commands = [];
    return run;
  };
  const leave = (run: ReturnType<typeof bench>) =>
    run.tell({ type: 'task:verifying', task: a, attempt: 1, leavesSlot: true });

  it('is the next one’s when its agent has ended and nothing more runs there', () => {
    const run = leave(begun());
    expect(run.state.tasks.get(0)).toMatchObject({ name: 'verifying', slot: null, token: 4 });
    expect(run.takeAll('free')).toEqual([{ type: 'free', task: 'a', what: 'slot' }]);
    expect(run.take('acquire')).toEqual(['b']);
    run.lease('b', 1);
    expect(run.state.tasks.get(1)).toMatchObject({ name: 'running', slot: 1 });
    run.tell({ type: 'task:queued', task: a, attempt: 1, candidate: madeUnder(4) });
    expect([run.nameOf('a'), run.take('free')]).toEqual(['queued', []]);
  });

  it('is kept while its task is checked', () => {
    const run = begun().tell({ type: 'task:verifying', task: a, attempt: 1 });
    expect([run.take('free'), run.take('acquire')]).toEqual([[], []]);
    leave(run);
    expect([run.take('free'), run.take('acquire')]).toEqual([['a'], ['b']]);
    leave(run);
    expect([run.take('free'), run.take('acquire')]).toEqual([[], []]);
  });

  it('means who sits there now', () => {
    const run = leave(begun()).lease('b', 1);
    run.commands = [];
    run.ask({ kind: 'kill', target: 'agent-1' });
    expect([run.nameOf('a'), run.nameOf('b'), run.take('stop')]).toEqual([
      'verifying',
      'cancelled',
      ['b'],
    ]);
  });

  it('that was left has its attempt stopped all the same, and its leases freed when it fails', () => {
    const run = leave(begun());
    run.ask({ kind: 'kill', target: 'a' });
    expect([run.nameOf('a'), run.take('stop')]).toEqual(['cancelled', ['a']]);
    const other = leave(begun());
    other.commands = [];
    other.fail('a');
    expect(other.nameOf('a')).toBe('backoff');
    expect(other.takeAll('free')).toEqual([{ type: 'free', task: 'a', what: 'all' }]);
  });
});
