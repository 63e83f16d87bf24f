import type { TaskId } from '../model/ids';
import { startedBench as bench, SchedulerBench } from '../testing/scheduler-bench';
import { accessOf } from './run-state';

const noRetry = { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } as const;
const gpu = (amount: number) => [{ id: 'gpu', exclusive: false, amount, capacity: 4 }];

describe('counted resources', () => {
  it('are shared up to their capacity', () => {
    const run = bench({
      tasks: [
        { id: 'a', resources: gpu(2) },
        { id: 'b', resources: [{ id: 'gpu', exclusive: false, capacity: 4 }] },
        { id: 'c', resources: gpu(2) },
        { id: 'd' },
      ],
    });
    expect(run.take('acquire')).toEqual(['a', 'b', 'd']);
    run.lease('a').queue('a');
    // Handed in, but not landed: the lease, and with it the resource, is still held.
    expect(run.take('acquire')).toEqual([]);
    run.land('a');
    expect(run.take('acquire')).toEqual(['c']);
  });

  it('are kept for the one that waits: nobody behind it takes from them', () => {
    const run = bench({
      tasks: [
        { id: 'a', resources: gpu(3) },
        { id: 'big', resources: gpu(4) },
        { id: 'small', resources: gpu(1) },
      ],
    });
    expect(run.take('acquire')).toEqual(['a']);
    run.finish('a');
    expect(run.take('acquire')).toEqual(['big']);
    run.finish('big');
    expect(run.take('acquire')).toEqual(['small']);
  });

  it('go to a task that asks for more than there is when nobody else has any', () => {
    const run = bench({
      tasks: [
        { id: 'a', resources: gpu(1) },
        { id: 'b', resources: gpu(9) },
      ],
    });
    run.finish('a');
    expect(run.take('acquire')).toEqual(['a', 'b']);
  });

  it('may be wanted for itself alone', () => {
    const run = bench({
      tasks: [
        { id: 'a', resources: gpu(1) },
        { id: 'b', resources: [{ id: 'gpu', exclusive: true }] },
        { id: 'c', resources: gpu(1) },
      ],
    });
    expect(run.take('acquire')).toEqual(['a']);
  });
});

describe('a CRITICAL task', () => {
  it('ends the run when it fails for good; what is handed in still lands', () => {
    const run = bench({
      settings: { retry: { ...noRetry, maxRetries: 1 } },
      tasks: [{ id: 'vital', priority: 90 }, 'busy', 'queued', { id: 'next', dependsOn: ['busy'] }],
    });
    run.lease('vital', 1).lease('busy', 2).lease('queued', 3).queue('queued').fail('vital');
    expect(run.nameOf('busy')).toBe('running');
    run.due('vital').lease('vital').fail('vital');
    expect(run.names('vital', 'busy', 'next', 'queued')).toEqual([
      'failed',
      'cancelled',
      'blocked',
      'queued',
    ]);
    expect(run.take('stop')).toEqual(['busy']);
    expect(run.events('task:cancelled')[0]?.by).toBe('the failure of critical task vital');
    run.fail('queued');
    expect([run.nameOf('queued'), run.state.outcome]).toEqual(['failed', 'failed']);
  });

  it('is the only kind that does so without fail_fast', () => {
    const run = bench({
      settings: { retry: noRetry },
      tasks: [{ id: 'high', priority: 89 }, 'other'],
    });
    run.lease('high').fail('high');
    expect(run.nameOf('other')).toBe('leasing');
  });

  it('does not hold the others back while it waits for what it depends on', () => {
    const run = bench({
      settings: { maxAgents: 2 },
      tasks: ['base', { id: 'vital', priority: 95, dependsOn: ['base'] }, 'other'],
    });
    expect(run.take('acquire')).toEqual(['base', 'other']);
  });
});

describe('retry_failed', () => {
  const settings = {
    maxAgents: 1,
    failureStrategy: 'retry_failed',
    retry: { ...noRetry, maxRetries: 2 },
  } as const;

  it('tries failures again in rounds, each after all of the round before', () => {
    const run = bench({ settings, tasks: ['a', 'b', 'c'] });
    const order: string[] = [];
    const bad = new Set(['a1', 'b1', 'a2']);
    for (let i = 0; i < 6; i += 1) {
      const [task = ''] = run.take('acquire');
      order.push(`${task}${run.attemptOf(task)}`);
      run.lease(task);
      if (bad.has(order.at(-1) ?? '')) run.fail(task).due(task);
      else run.queue(task).land(task);
    }
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(run.state.outcome).toBe('completed');
  });

  it('waits for what runs and for what is about to land, with slots to spare', () => {
    const run = bench({
      settings: { ...settings, maxAgents: 4 },
      tasks: ['a', 'b', { id: 'c', dependsOn: ['b'] }],
    });
    run.lease('a', 1).lease('b', 2).fail('a').due('a');
    run.take('acquire');
    run.queue('b');
    expect(run.take('acquire')).toEqual([]);
    run.land('b');
    expect(run.take('acquire')).toEqual(['c']);
    run.finish('c');
    expect(run.take('acquire')).toEqual(['a']);
  });

  it('gives up after max_retries, and counts no free retry as a round', () => {
    const run = bench({ settings: { ...settings, maxAgents: 2 }, tasks: ['a', 'b'] });
    run.lease('a', 1).fail('a', { kind: 'try-later', tail: '' });
    run.take('acquire');
    run.due('a');
    expect(run.take('acquire')).toEqual(['a']);
    run.finish('b', 2);
    for (let i = 0; i < 3; i += 1) run.lease('a').fail('a').due('a');
    expect(run.nameOf('a')).toBe('failed');
  });

  it('differs from continue_on_failure, which tries again as soon as the back-off is over', () => {
    const run = bench({
      settings: { ...settings, failureStrategy: 'continue_on_failure' },
      tasks: ['a', 'b'],
    });
    run.take('acquire');
    run.lease('a').fail('a');
    expect(run.take('acquire')).toEqual(['b']);
    run.due('a').lease('b').queue('b');
    expect(run.take('acquire')).toEqual(['a']);
  });
});

describe('a lease that was widened', () => {
  const draft = {
    tasks: [
      { id: 'a', writes: ['a/**'] },
      { id: 'b', writes: ['b/**'], dependsOn: ['gate'] },
      { id: 'gate', writes: ['gate/**'] },
    ],
  };

  it('keeps out who wants what was added, also in later attempts', () => {
    const run = bench(draft);
    run.lease('a', 1).tell({ type: 'task:widened', task: 'a' as TaskId, writes: ['b/x', 'b/x'] });
    const [task] = run.state.problem.plan.tasks;
    if (task === undefined) throw new Error('no task');
    expect(accessOf(run.state, task)).toEqual({ reads: [], writes: ['a/**', 'b/x'] });
    run.take('acquire');
    run.finish('gate', 2);
    expect(run.take('acquire')).toEqual([]);
    run.fail('a').due('a');
    expect(run.take('acquire')).toEqual(['b']);
    run.finish('b', 2);
    expect(run.take('acquire')).toEqual(['a']);
  });

  it('is not widened by a report about a settled task', () => {
    const run = bench(draft);
    run.finish('a').tell({ type: 'task:widened', task: 'a' as TaskId, writes: ['b/**'] });
    expect(run.state.extraWrites.size).toBe(0);
  });
});

describe('healing', () => {
  it('changes nothing for the scheduler', () => {
    const run = bench({ tasks: ['a', 'b'] });
    run.lease('a').fail('a');
    const { state } = run;
    run.commands = [];
    const task = 'a' as TaskId;
    run.tell({ type: 'task:healing', task, attempt: 1, healer: 'medic' });
    run.tell({ type: 'task:healed', task, attempt: 1, outcome: 'fixed', note: '' });
    expect([run.state, run.commands]).toEqual([state, []]);
  });
});

describe('the effort of a decision', () => {
  const size = 2000;
  const ids = Array.from({ length: size }, (_, at) => `t${at}`);
  const comparisonsOf = (run: SchedulerBench): number => run.state.problem.conflicts.comparisons;

  it('needs no glob comparison for tasks that keep to their folders', () => {
    const run = bench({ tasks: ids, settings: { maxAgents: 25 } });
    for (let at = 0; at < 200; at += 1) {
      for (const task of run.take('acquire')) run.finish(task, 1);
    }
    expect(comparisonsOf(run)).toBe(0);
  });

  it('compares each of n tasks that all want one file about once, not with all others', () => {
    const run = bench({
      tasks: ids.map((id) => ({ id, writes: [`${id}/**`, 'package.json'] })),
      settings: { maxAgents: 25 },
    });
    for (let at = 0; at < 100; at += 1) {
      const asked = run.take('acquire');
      expect(asked).toHaveLength(1);
      run.finish(asked[0] ?? '');
    }
    expect(comparisonsOf(run)).toBeLessThan(2 * size);
  });

  it('looks at the queue only as far as there are slots', () => {
    const run = new SchedulerBench({ tasks: ids, settings: { maxAgents: 5 } });
    let visited = 0;
    const { conflicts } = run.state.problem;
    const exclude = conflicts.exclude.bind(conflicts);
    conflicts.exclude = (...args) => {
      visited += 1;
      return exclude(...args);
    };
    run.start();
    expect(visited).toBeLessThan(5 * 5);
    visited = 0;
    run.lease('t0', 1).tell({ type: 'task:progress', task: 't0' as TaskId, percent: 5, note: '' });
    expect(visited).toBe(0);
    run.queue('t0');
    expect(visited).toBeLessThan(2 * 5);
  });
});
