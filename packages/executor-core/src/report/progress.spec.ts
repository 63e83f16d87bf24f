import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { viewOf } from './fold';
import { etaMs, percentDone, speedup } from './progress';

const plan = planOf({ a: {}, b: {}, c: { dependsOn: ['a', 'b'] } }, { maxAgents: 2 });

function percentOf(events: readonly RunEvent[], id: string, now: number, of: Plan = plan) {
  const view = viewOf(of, [runStarted(of), ...events]);
  const task = view.tasks.get(parseTaskId(id));
  return task === undefined ? undefined : percentDone(view, task, second(now));
}

function progressOf(id: string, percent: number | null): RunEvent {
  return { type: 'task:progress', at: second(1), task: parseTaskId(id), percent, note: 'wiring' };
}

describe('per cent done', () => {
  it('is what the agent reported, within 0 and 100', () => {
    expect(percentOf([...started('a', 1, 0), progressOf('a', 40)], 'a', 9)).toBe(40);
    expect(percentOf([...started('a', 1, 0), progressOf('a', 140)], 'a', 9)).toBe(100);
    expect(percentOf([...started('a', 1, 0), progressOf('a', -1)], 'a', 9)).toBe(0);
  });

  it('is unknown without a report and without history', () => {
    expect(percentOf(started('a', 1, 0), 'a', 9)).toBeNull();
  });

  it('is guessed from finished tasks of the same profile, and never above 95', () => {
    const history = [...started('a', 1, 0), ...landed('a', 10), ...started('b', 1, 10)];
    expect(percentOf(history, 'b', 15)).toBe(50);
    expect(percentOf(history, 'b', 500)).toBe(95);
  });

  it('prefers history of the same profile over that of all', () => {
    const mixed = planOf({ fast: { profile: 'quick' }, slow: {}, next: {} });
    const events = [
      ...started('fast', 1, 0).map((event) =>
        event.type === 'task:started' ? { ...event, profile: 'quick' } : event,
      ),
      ...landed('fast', 1),
      ...started('slow', 2, 0),
      ...landed('slow', 20),
      ...started('next', 1, 20),
    ];
    expect(percentOf(events, 'next', 30, mixed)).toBe(50);
  });

  it('is at least 95 while verifying and 100 once it is a candidate', () => {
    const verifying: RunEvent = {
      type: 'task:verifying',
      at: second(2),
      task: parseTaskId('a'),
      attempt: 1,
    };
    expect(percentOf([...started('a', 1, 0), progressOf('a', 40), verifying], 'a', 3)).toBe(95);
    expect(percentOf([...started('a', 1, 0), ...landed('a', 2)], 'a', 3)).toBe(100);
  });
});

describe('the estimated time to the end', () => {
  const done = [runStarted(plan), ...started('a', 1, 0), ...landed('a', 10)];

  it('is unknown without history, before the start and while paused', () => {
    expect(etaMs(viewOf(plan, []), second(0))).toBeNull();
    expect(etaMs(viewOf(plan, [runStarted(plan), ...started('a', 1, 0)]), second(5))).toBeNull();
    const paused: RunEvent = { type: 'run:mode', at: second(10), mode: 'paused', reason: '' };
    expect(etaMs(viewOf(plan, [...done, paused]), second(10))).toBeNull();
  });

  it('adds what is left of each level', () => {
    const view = viewOf(plan, [...done, ...started('b', 1, 10)]);
    expect(etaMs(view, second(14))).toBe(6000 + 10_000);
  });

  it('shares a level among the agents', () => {
    const wide = planOf({ a: {}, b: {}, c: {}, d: {}, e: {} }, { maxAgents: 2 });
    const view = viewOf(wide, [runStarted(wide), ...started('a', 1, 0), ...landed('a', 10)]);
    expect(etaMs(view, second(10))).toBe(20_000);
  });

  it('is nothing once the run is finished', () => {
    const end: RunEvent = { type: 'run:finished', at: second(10), outcome: 'completed' };
    expect(etaMs(viewOf(plan, [...done, end]), second(99))).toBe(0);
  });
});

describe('the speed-up', () => {
  it('is work done so far over time passed', () => {
    const view = viewOf(plan, [runStarted(plan), ...started('a', 1, 0), ...started('b', 2, 5)]);
    expect(speedup(view, second(10))).toBe(1.5);
  });

  it('is unknown before time has passed', () => {
    expect(speedup(viewOf(plan, []), second(0))).toBeNull();
    expect(speedup(viewOf(plan, [runStarted(plan)]), second(0))).toBeNull();
  });

  it('stops changing at the end of the run', () => {
    const view = viewOf(plan, [
      runStarted(plan),
      ...started('a', 1, 0),
      ...landed('a', 4),
      { type: 'run:finished', at: second(8), outcome: 'completed' },
    ]);
    expect(speedup(view, second(8))).toBe(0.5);
    expect(speedup(view, second(800))).toBe(0.5);
  });
});
