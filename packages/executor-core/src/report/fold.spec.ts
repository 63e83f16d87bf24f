import * as fc from 'fast-check';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import {
  candidateOf,
  failed,
  FIXTURE_RUN,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from '../testing/run-fixture';
import { emptyView, foldEvent, RunFold, viewOf } from './fold';
import type { RunView, TaskView } from './run-view';
import { elapsedMs, isTaskSettled, workedMs } from './run-view';

const plan = planOf({ a: {}, b: { dependsOn: ['a'] }, c: {} });
const a = parseTaskId('a');

function taskIn(view: RunView, id: string): TaskView {
  const task = view.tasks.get(parseTaskId(id));
  if (task === undefined) throw new Error(`no task ${id}`);
  return task;
}

describe('the view of a run', () => {
  it('is all pending before anything happened', () => {
    const view = emptyView(plan);
    expect(view.id).toBeNull();
    expect([...view.tasks.values()].map((task) => task.state)).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
    expect(view.counts).toEqual({
      active: 0,
      max_agents: 4,
      completed: 0,
      in_progress: 0,
      pending: 3,
      failed: 0,
      blocked: 0,
      conflicted: 0,
      cached: 0,
    });
  });

  it('is paused while the disk refuses, and then stands as it stood', () => {
    const refused = (at: number): RunEvent => {
      return { type: 'disk:refused', at: second(at), trouble: 'full', reason: 'full' };
    };
    const fold = new RunFold(emptyView(plan)).apply(runStarted(plan));
    fold.apply({ type: 'run:mode', at: second(1), mode: 'draining', reason: 'asked' });
    // Told at once, and again when it can be journalled.
    fold.apply(refused(2)).apply(refused(2));
    expect(fold.view).toMatchObject({ mode: 'paused', modeReason: 'full' });
    fold.apply({ type: 'disk:recovered', at: second(3) });
    expect(fold.view).toMatchObject({ mode: 'draining', modeReason: 'asked', beforeDisk: null });
    fold.apply(refused(4)).apply({
      type: 'run:resumed',
      at: second(5),
      owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    });
    fold.apply({ type: 'disk:recovered', at: second(6) });
    expect(fold.view).toMatchObject({ mode: 'running', modeReason: '' });
  });

  it('follows a task through every state to landing', () => {
    const states: string[] = [];
    const fold = new RunFold(emptyView(plan));
    for (const event of [runStarted(plan), ...started('a', 2, 1), ...landed('a', 5)]) {
      fold.apply(event);
      states.push(taskIn(fold.view, 'a').state);
    }
    expect(states).toEqual([
      'pending',
      'leasing',
      'leasing',
      'running',
      'verifying',
      'queued',
      'merging',
      'landed',
    ]);
    const task = taskIn(fold.view, 'a');
    expect(task).toMatchObject({ slot: null, lastSlot: 2, attempt: 1, commit: 'f'.repeat(40) });
    expect(elapsedMs(task, 0)).toBe(4000);
    expect(fold.view.landed).toEqual(['a']);
  });

  it('keeps the slot from the lease until the work leaves for the merge queue', () => {
    const running = viewOf(plan, [runStarted(plan), ...started('a', 3, 0)]);
    expect(taskIn(running, 'a').slot).toBe(3);
    expect(running.counts.active).toBe(1);
    const queued = foldEvent(running, {
      type: 'task:queued',
      at: second(2),
      task: parseTaskId('a'),
      attempt: 1,
      candidate: candidateOf('a'),
    });
    expect(taskIn(queued, 'a')).toMatchObject({ slot: null, state: 'queued' });
    expect(queued.counts).toMatchObject({ active: 0, in_progress: 1 });
  });

  it('gives the slot up with its agent where nothing more runs in the worktree', () => {
    const task = parseTaskId('a');
    const verifying = { type: 'task:verifying', at: second(2), task, attempt: 1 } as const;
    const running = viewOf(plan, [runStarted(plan), ...started('a', 3, 0)]);
    expect(taskIn(foldEvent(running, verifying), 'a')).toMatchObject({ slot: 3 });
    const left = foldEvent(running, { ...verifying, leavesSlot: true });
    expect(taskIn(left, 'a')).toMatchObject({ slot: null, lastSlot: 3, state: 'verifying' });
    expect(left.counts).toMatchObject({ active: 0, in_progress: 1 });
  });

  it('leaves the given view as it was', () => {
    const before = viewOf(plan, [runStarted(plan)]);
    foldEvent(before, { type: 'task:leasing', at: second(1), task: parseTaskId('a') });
    expect(taskIn(before, 'a').state).toBe('pending');
  });

  it('remembers what failed while the next attempt waits and runs', () => {
    const failure = { kind: 'agent-exit', code: 1, tail: 'x' } as const;
    const view = viewOf(plan, [
      runStarted(plan),
      ...started('a', 1, 0),
      { type: 'attempt:failed', at: second(2), task: a, attempt: 1, failure, salvage: 'refs/s' },
      { type: 'task:retrying', at: second(2), task: a, attempt: 2, retryAt: second(6), failure },
    ]);
    expect(taskIn(view, 'a')).toMatchObject({
      state: 'backoff',
      attempt: 2,
      retryAt: second(6),
      failure,
      failedAttempt: 1,
      salvage: 'refs/s',
      workedMs: 2000,
    });
    const due = foldEvent(view, { type: 'timer:due', at: second(6), task: a });
    expect(taskIn(due, 'a')).toMatchObject({ state: 'pending', retryAt: null, attempt: 2 });
    const again = new RunFold(due);
    for (const event of started('a', 2, 7, 2)) again.apply(event);
    expect(workedMs(taskIn(again.view, 'a'), second(10))).toBe(5000);
    expect(taskIn(again.view, 'a').startedAt).toBe(second(0));
  });

  it('ignores late reports about a settled task', () => {
    const view = viewOf(plan, [runStarted(plan), ...started('a', 1, 0), ...landed('a', 1)]);
    const late = foldEvent(view, {
      type: 'task:failed',
      at: second(2),
      task: a,
      failure: { kind: 'interrupted', message: 'late' },
    });
    expect(taskIn(late, 'a')).toEqual(taskIn(view, 'a'));
    expect(late.landed).toEqual(['a']);
  });

  it('follows a task that landed although it was cancelled, and one that is tried again by hand', () => {
    const b = parseTaskId('b');
    const view = viewOf(plan, [
      runStarted(plan),
      ...started('a', 1, 0),
      { type: 'task:cancelled', at: second(1), task: a, by: 'you' },
      { type: 'task:blocked', at: second(1), task: b, by: a },
      { type: 'task:landed', at: second(2), task: a, commit: 'c', tree: 't' },
      { type: 'task:reopened', at: second(2), task: b, by: 'you' },
    ]);
    expect(taskIn(view, 'a').state).toBe('landed');
    expect(taskIn(view, 'b')).toMatchObject({ state: 'pending', attempt: 0 });
  });

  it('puts a withdrawn task back, counting the attempt only when it had started', () => {
    const leasing: RunEvent = { type: 'task:leasing', at: second(0), task: a };
    const withdrawn: RunEvent = { type: 'task:withdrawn', at: second(1), task: a };
    const unstarted = viewOf(plan, [runStarted(plan), leasing, withdrawn]);
    expect(taskIn(unstarted, 'a')).toMatchObject({ state: 'pending', attempt: 0 });
    const halfway = viewOf(plan, [runStarted(plan), ...started('a', 1, 0), withdrawn]);
    expect(taskIn(halfway, 'a')).toMatchObject({ state: 'pending', attempt: 2, slot: null });
  });

  it('skips records of tasks the plan does not know', () => {
    const view = viewOf(plan, [runStarted(plan), ...started('stranger', 1, 0)]);
    expect(view.tasks.size).toBe(3);
    expect(view.concurrency.peak).toBe(0);
  });

  it('tells that agents stand still, and how many may run since it was changed', () => {
    const view = viewOf(plan, [
      runStarted(plan),
      { type: 'run:resized', at: second(1), maxAgents: 9, by: 'you' },
      { type: 'run:mode', at: second(2), mode: 'paused', reason: '', suspended: true },
    ]);
    expect(view).toMatchObject({ mode: 'paused', suspended: true, maxAgents: 9 });
    expect(view.counts.max_agents).toBe(9);
    const on = foldEvent(view, { type: 'run:mode', at: second(3), mode: 'running', reason: '' });
    expect(on).toMatchObject({ mode: 'running', suspended: false });
  });

  it('tells mode, outcome and what became of the target branch', () => {
    const held: RunEvent = {
      type: 'target:held',
      at: second(3),
      ref: 'refs/heads/main',
      commit: 'e'.repeat(40),
      reason: 'main has uncommitted changes',
    };
    const view = viewOf(plan, [
      runStarted(plan),
      { type: 'run:mode', at: second(1), mode: 'draining', reason: 'Ctrl-C' },
      held,
      { type: 'run:finished', at: second(4), outcome: 'stopped' },
    ]);
    expect(view).toMatchObject({
      id: FIXTURE_RUN,
      mode: 'draining',
      modeReason: 'Ctrl-C',
      outcome: 'stopped',
      finishedAt: second(4),
      targetHeld: 'main has uncommitted changes',
    });
    const resumed = foldEvent(view, {
      type: 'run:resumed',
      at: second(9),
      owner: { pid: 1, startTime: '', bootId: '', host: '' },
    });
    expect(resumed).toMatchObject({ mode: 'running', outcome: null, finishedAt: null });
    const moved = foldEvent(resumed, {
      type: 'target:advanced',
      at: second(10),
      ref: 'refs/heads/main',
      commit: 'e'.repeat(40),
    });
    expect(moved).toMatchObject({ targetHeld: null, targetCommit: 'e'.repeat(40) });
  });
});

describe('the phase', () => {
  it('is the first plan phase with an unsettled task', () => {
    const phased = planOf({ x: { phase: 'one' }, y: { phase: 'two' } }, {}, ['one', 'two']);
    expect(emptyView(phased).phase).toEqual({ index: 1, total: 2, name: 'one' });
    const view = viewOf(phased, [runStarted(phased), ...started('x', 1, 0), ...landed('x', 1)]);
    expect(view.phase).toEqual({ index: 2, total: 2, name: 'two' });
  });

  it('is the graph level when the plan has no phases, and the last one at the end', () => {
    const view = viewOf(plan, [runStarted(plan), ...started('a', 1, 0), ...landed('a', 1)]);
    expect(view.phase).toEqual({ index: 1, total: 2, name: 'level 1' });
    const all = viewOf(plan, [
      runStarted(plan),
      ...['a', 'c', 'b'].flatMap((id) => [...started(id, 1, 0), ...landed(id, 1)]),
    ]);
    expect(all.phase).toEqual({ index: 2, total: 2, name: 'level 2' });
  });

  it('is 0 of 0 in a plan without tasks', () => {
    expect(emptyView(planOf({})).phase).toEqual({ index: 0, total: 0, name: '' });
  });
});

describe('concurrency', () => {
  it('integrates the slots in use over time', () => {
    const view = viewOf(plan, [
      runStarted(plan),
      ...started('a', 1, 0),
      ...started('c', 2, 2),
      ...landed('a', 4),
      ...landed('c', 5),
    ]);
    expect(view.concurrency).toEqual({ active: 0, peak: 2, slotMs: 7000 });
  });

  it('does not count the time between a crash and its recovery', () => {
    const view = viewOf(plan, [
      runStarted(plan),
      ...started('a', 1, 0),
      { type: 'task:progress', at: second(2), task: a, percent: 10, note: '' },
      {
        type: 'run:resumed',
        at: second(1000),
        owner: { pid: 2, startTime: '', bootId: '', host: '' },
      },
      ...landed('a', 1001),
    ]);
    expect(view.concurrency.slotMs).toBe(3000);
    expect(workedMs(taskIn(view, 'a'), second(1001))).toBe(3000);
  });
});

const anyEvent: fc.Arbitrary<(at: number) => readonly RunEvent[]> = fc
  .record({ id: fc.constantFrom('a', 'b', 'c'), slot: fc.integer({ min: 1, max: 4 }) })
  .chain(({ id, slot }) =>
    fc.constantFrom(
      (at: number) => started(id, slot, at),
      (at: number) => landed(id, at),
      (at: number) => failed(id, at),
      (at: number): readonly RunEvent[] => [
        { type: 'task:withdrawn', at: second(at), task: parseTaskId(id) },
      ],
      (at: number): readonly RunEvent[] => [
        {
          type: 'run:resumed',
          at: second(at),
          owner: { pid: 1, startTime: '', bootId: '', host: '' },
        },
      ],
    ),
  );

describe('for any journal', () => {
  it('one step at a time gives the same view as all at once, and the sums agree', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (steps) => {
        const events = [runStarted(plan), ...steps.flatMap((step, index) => step(index))];
        const whole = viewOf(plan, events);
        expect(events.reduce(foldEvent, emptyView(plan))).toEqual(whole);
        const tasks = [...whole.tasks.values()];
        expect(whole.concurrency.active).toBe(whole.counts.active);
        const now = whole.lastEventAt ?? 0;
        expect(tasks.reduce((sum, task) => sum + workedMs(task, now), 0)).toBe(
          whole.concurrency.slotMs,
        );
        const { completed, in_progress, pending, failed: lost } = whole.counts;
        expect(completed + in_progress + pending + lost).toBe(tasks.length);
        expect(tasks.filter(isTaskSettled).every((task) => task.slot === null)).toBe(true);
      }),
    );
  });
});
