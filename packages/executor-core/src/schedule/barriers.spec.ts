import { startedBench as bench } from '../testing/scheduler-bench';
import type { SchedulerBench } from '../testing/scheduler-bench';
import type { TaskId } from '../model/ids';

const noRetry = { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } as const;

const wait = (run: SchedulerBench, barrier: string, waiter: string): SchedulerBench =>
  run.tell({ type: 'barrier:waiting', barrier, waiter: waiter as TaskId });
const leave = (run: SchedulerBench, barrier: string, waiter: string): SchedulerBench =>
  run.tell({ type: 'barrier:left', barrier, waiter: waiter as TaskId });
const brokenIn = (run: SchedulerBench): unknown[] =>
  run.events('barrier:broken').map(({ barrier, by, reason }) => [barrier, by, reason]);

describe('a barrier that can never open', () => {
  const phases = ['p', 'q', 'r'];
  const tasks = [
    { id: 'a', phase: 'p', dependsOn: ['base'] },
    { id: 'b', phase: 'q' },
    { id: 'c', phase: 'r' },
    'base',
    'free',
    'other',
  ];

  it('is reported at once when a member fails, and so are those after it, each once', () => {
    const run = bench({ phases, tasks, settings: { retry: noRetry } });
    run.finish('base').lease('a').fail('a').finish('free');
    expect(brokenIn(run)).toEqual([
      ['p', 'a', 'a failed'],
      ['q', 'a', 'a failed'],
      ['r', 'a', 'a failed'],
    ]);
  });

  it('names the cause when a member is blocked by a task of no phase', () => {
    const run = bench({ phases, tasks, settings: { retry: noRetry } });
    run.lease('base').fail('base');
    expect(brokenIn(run)[0]).toEqual(['p', 'base', 'a is blocked by base']);
  });

  it('is not broken while the member is tried again, and says when it was cancelled', () => {
    const run = bench({ phases, tasks });
    run.finish('base').lease('a').fail('a');
    expect(brokenIn(run)).toEqual([]);
    run.ask({ kind: 'kill', target: 'a' });
    expect(brokenIn(run)[0]).toEqual(['p', 'a', 'a was cancelled']);
  });

  it('is whole again when the member is reopened, and may break again', () => {
    const run = bench({
      phases: ['p'],
      tasks: [{ id: 'a', phase: 'p' }, 'b'],
      settings: { retry: noRetry },
    });
    run.lease('a').fail('a');
    expect(run.state.broken).toEqual([0]);
    run.ask({ kind: 'retry', target: 'a' });
    expect(run.state.broken).toEqual([]);
    run.lease('a').fail('a');
    expect(brokenIn(run)).toHaveLength(2);
  });

  it('is not reported when it is open already', () => {
    const run = bench({
      phases: ['p', 'q'],
      tasks: [{ id: 'a', phase: 'p' }, { id: 'b', phase: 'q' }, 'c'],
      settings: { retry: noRetry },
    });
    run.finish('a').lease('b').fail('b');
    expect(brokenIn(run)).toEqual([['q', 'b', 'b failed']]);
  });
});

describe('a barrier that agents of the run wait at', () => {
  const phases = ['p', 'q'];

  it('is broken when they hold every slot that its members need', () => {
    const run = bench({
      phases,
      tasks: [
        { id: 'x', priority: 80 },
        { id: 'y', priority: 80 },
        { id: 'a', phase: 'p' },
        { id: 'b', phase: 'q' },
      ],
      settings: { maxAgents: 2 },
    });
    run.lease('x', 1).lease('y', 2);
    wait(run, 'p', 'x');
    expect(brokenIn(run)).toEqual([]);
    wait(run, 'q', 'y');
    expect(brokenIn(run)).toEqual([
      ['p', null, 'agents that wait hold all 2 slots, and a needs one before it opens'],
    ]);
    run.ask({ kind: 'agents', maxAgents: 3 });
    expect(run.state.broken).toEqual([]);
    run.ask({ kind: 'agents', maxAgents: 2 });
    expect(run.nameOf('a')).toBe('pending');
    expect(brokenIn(run)).toHaveLength(2);
    leave(run, 'q', 'y');
    expect(run.state.broken).toEqual([]);
  });

  it('is fine while its members work, or a slot will be free for them', () => {
    const run = bench({
      phases,
      tasks: ['x', { id: 'a', phase: 'p' }, { id: 'b', phase: 'p' }],
      settings: { maxAgents: 2 },
    });
    run.lease('x', 1).lease('a', 2);
    wait(run, 'p', 'x');
    run.queue('a').land('a').lease('b', 2).queue('b').land('b');
    expect(brokenIn(run)).toEqual([]);
    expect(run.state.waiters).toEqual([]);
  });

  it('is broken by an agent that waits for itself', () => {
    const run = bench({
      phases,
      tasks: [
        { id: 'a', phase: 'p' },
        { id: 'b', phase: 'q' },
      ],
    });
    run.lease('a');
    wait(run, 'p', 'a');
    wait(run, 'p', 'a');
    expect(brokenIn(run)).toEqual([
      ['p', 'a', 'a waits for it, and must itself land before it opens'],
    ]);
  });

  it('is broken by an agent that a member depends on', () => {
    const run = bench({ phases, tasks: ['base', { id: 'a', phase: 'p', dependsOn: ['base'] }] });
    run.lease('base');
    wait(run, 'p', 'base');
    expect(brokenIn(run)[0]).toMatchObject(['p', 'base', expect.any(String)]);
  });

  it('is broken by an agent that holds what a member needs', () => {
    const run = bench({
      phases,
      tasks: [
        { id: 'x', writes: ['src/**'] },
        { id: 'a', phase: 'p', writes: ['src/a.ts'] },
      ],
    });
    run.lease('x');
    wait(run, 'p', 'x');
    expect(brokenIn(run)).toEqual([
      ['p', 'a', 'a needs what x holds while it waits for the barrier'],
    ]);
  });

  it('takes no notice of strangers, of unknown barriers and of tasks that are not at work', () => {
    const run = bench({
      phases,
      tasks: ['x', { id: 'a', phase: 'p' }],
      settings: { maxAgents: 1 },
    });
    run.lease('x');
    run.tell({ type: 'barrier:waiting', barrier: 'p', waiter: null });
    wait(run, 'nowhere', 'x');
    wait(run, 'p', 'a');
    wait(run, 'p', 'nobody');
    leave(run, 'p', 'nobody');
    expect(run.state.waiters).toEqual([]);
    expect(brokenIn(run)).toEqual([]);
  });

  it('forgets an agent that ended without a word', () => {
    const run = bench({
      phases,
      tasks: ['x', { id: 'a', phase: 'p' }],
      settings: { maxAgents: 1 },
    });
    run.lease('x');
    wait(run, 'p', 'x');
    expect(run.state.broken).toEqual([0]);
    run.fail('x');
    expect([run.state.broken, run.state.waiters]).toEqual([[], []]);
  });
});
