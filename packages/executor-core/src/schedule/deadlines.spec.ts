import { OWNER, SchedulerBench, startedBench as bench } from '../testing/scheduler-bench';
import type { TaskId } from '../model/ids';

const id = (task: string): TaskId => task as TaskId;

describe('the deadline of a task', () => {
  const draft = {
    tasks: [{ id: 'a', deadlineMs: 100 }, { id: 'b', dependsOn: ['a'] }, { id: 'c' }],
  };

  it('counts from the first start, over all attempts', () => {
    const run = bench(draft);
    run.now = 10;
    run.lease('a');
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: 'a', at: 110 }]);
    run.now = 60;
    run.fail('a').due('a').lease('a');
    expect(run.takeAll('deadline')).toEqual([]);
    run.now = 110;
    run.tell({ type: 'task:overdue', task: id('a') });
    expect(run.events('task:failed')).toMatchObject([
      { task: 'a', failure: { kind: 'deadline', scope: 'task', afterMs: 100 } },
    ]);
    expect(run.takeAll('stop')).toEqual([{ type: 'stop', task: 'a', how: 'interrupt' }]);
    expect(run.nameOf('b')).toBe('blocked');
    run.take('free');
    run.fail('a', { kind: 'interrupted', message: 'stopped' }, 2);
    expect([run.nameOf('a'), run.take('free')]).toEqual(['failed', ['a']]);
  });

  it('is asked for again when the report comes too early', () => {
    const run = bench(draft);
    run.lease('a');
    run.take('deadline');
    run.now = 99;
    run.tell({ type: 'task:overdue', task: id('a') });
    expect(run.nameOf('a')).toBe('running');
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: 'a', at: 100 }]);
  });

  it('lets what is handed in land, and tries it no more when it does not', () => {
    const run = bench(draft);
    run.lease('a').queue('a');
    run.now = 200;
    run.tell({ type: 'task:overdue', task: id('a') });
    expect(run.nameOf('a')).toBe('queued');
    run.fail('a', { kind: 'conflict', paths: ['x'], onto: 'y' });
    expect(run.events('task:failed')).toMatchObject([{ failure: { kind: 'deadline' } }]);
  });

  it('counts from the restart where the task began in the future: the clock was set back since', () => {
    const run = bench(draft);
    run.now = 7_200_000;
    run.lease('a').fail('a', { kind: 'interrupted', message: 'gone' });
    run.take('deadline');
    run.now = 50;
    run.resume();
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: 'a', at: 150 }]);
  });

  it('is armed again after a restart, from the time of the first start', () => {
    const run = bench(draft);
    run.now = 10;
    run.lease('a').fail('a', { kind: 'interrupted', message: 'gone' });
    run.take('deadline');
    run.now = 50;
    run.resume();
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: 'a', at: 110 }]);
  });

  it('begins anew for a task that is tried again by hand', () => {
    const run = bench(draft);
    run.lease('a');
    run.now = 100;
    run.tell({ type: 'task:overdue', task: id('a') }).ask({ kind: 'retry', target: 'a' });
    run.now = 150;
    run.take('deadline');
    run.lease('a');
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: 'a', at: 250 }]);
    run.tell({ type: 'task:overdue', task: id('a') });
    expect(run.nameOf('a')).toBe('running');
  });
});

describe('the deadline of a run', () => {
  it('counts from its start in a process that joins it later', () => {
    const run = new SchedulerBench({ settings: { deadlineMs: 1000 }, tasks: ['a'] });
    run.now = 700;
    run.tell({ type: 'run:joined', owner: OWNER, since: 100 });
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: null, at: 1100 }]);
  });

  const draft = {
    settings: { deadlineMs: 1000, maxAgents: 2 },
    tasks: ['done', 'queued', 'busy', 'rest', { id: 'next', dependsOn: ['queued'] }],
  };

  it('stops agents, starts nothing, and lets what is queued land', () => {
    const run = bench(draft);
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: null, at: 1000 }]);
    run.finish('done').lease('queued').queue('queued').lease('busy', 2);
    run.now = 1000;
    run.take('acquire');
    run.tell({ type: 'run:overdue' });
    expect(run.take('stop')).toEqual(['busy']);
    expect(run.names('done', 'queued', 'busy', 'rest', 'next')).toEqual([
      'landed',
      'queued',
      'failed',
      'failed',
      'failed',
    ]);
    expect(run.events('task:failed')[0]).toMatchObject({
      failure: { kind: 'deadline', scope: 'run', afterMs: 1000 },
    });
    expect(run.state.outcome).toBeNull();
    run.land('queued');
    expect([run.state.outcome, run.take('acquire')]).toEqual(['failed', []]);
  });

  it('does not try again what fails to land afterwards', () => {
    const run = bench(draft);
    run.lease('queued').queue('queued');
    run.now = 1500;
    run.tell({ type: 'run:overdue' }).fail('queued');
    expect(run.state.tasks.get(1)).toMatchObject({ failure: { kind: 'deadline', scope: 'run' } });
  });

  it('holds over a restart', () => {
    const run = bench(draft);
    run.now = 400;
    run.take('deadline');
    run.resume();
    expect(run.takeAll('deadline')).toEqual([{ type: 'deadline', task: null, at: 1000 }]);
    run.now = 1200;
    run.take('acquire');
    run.resume();
    expect(run.take('acquire')).toEqual([]);
    expect(run.state.outcome).toBe('failed');
  });

  it('begins anew when a person has tasks tried again after it passed', () => {
    const run = bench({ settings: { deadlineMs: 1000 }, tasks: ['a', 'b'] });
    run.now = 1000;
    run.tell({ type: 'run:overdue' }).ask({ kind: 'retry', target: 'a' });
    run.now = 5000;
    run.take('acquire');
    run.take('deadline');
    run.resume();
    expect(run.take('acquire')).toEqual(['a']);
    expect(run.takeAll('deadline')).toContainEqual({ type: 'deadline', task: null, at: 6000 });
  });

  it('wakes suspended agents to interrupt them', () => {
    const run = bench(draft);
    run.lease('done').ask({ kind: 'pause', suspend: true });
    run.commands = [];
    run.now = 1000;
    run.tell({ type: 'run:overdue' });
    expect(run.commands.filter(({ type }) => type === 'continue' || type === 'stop')).toEqual([
      { type: 'continue', task: 'done' },
      { type: 'stop', task: 'done', how: 'interrupt' },
    ]);
  });
});
