import type { LogNormal } from '../graph/log-normal';
import { landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import type { Plan, Task } from '../model/task';
import type { RunEvent } from '../model/event';
import { viewOf } from './fold';
import { etaOf, percentDone } from './progress';

const always = (seconds: number, sigma = 0): ((task: Task) => LogNormal | null) => {
  const duration = { mu: Math.log(seconds * 1000), sigma };
  return (task) => (task.profile === null ? null : duration);
};

function eta(
  plan: Plan,
  events: readonly RunEvent[],
  now: number,
  estimate: (task: Task) => LogNormal | null,
) {
  const found = etaOf(viewOf(plan, [runStarted(plan), ...events], estimate), second(now));
  return found === null ? null : [found.p50Ms, found.p90Ms].map(Math.round);
}

const chain = planOf(
  { a: {}, b: { dependsOn: ['a'] }, gate: { profile: null, dependsOn: ['b'] }, c: {} },
  { maxAgents: 2 },
);

describe('the estimate from history', () => {
  it('is there from the first moment, and follows edges, barriers and agents', () => {
    expect(eta(chain, [], 0, always(10))).toEqual([20_000, 20_000]);
    const phased = planOf({ a: { phase: 'p' }, b: { phase: 'q' }, c: {} }, { maxAgents: 4 }, [
      'p',
      'q',
    ]);
    expect(eta(phased, [], 0, always(10))).toEqual([20_000, 20_000]);
    const wide = planOf({ a: {}, b: {}, c: {} }, { maxAgents: 1 });
    expect(eta(wide, [], 0, always(10))).toEqual([30_000, 30_000]);
  });

  it('counts what has landed or is made as done, and what runs by what is left of it', () => {
    const events = [...started('a', 1, 0), ...landed('a', 10), ...started('b', 1, 10)];
    expect(
      eta(chain, [...events, ...started('c', 2, 0), ...landed('c', 9)], 16, always(10)),
    ).toEqual([4000, 4000]);
  });

  it('does not promise the end of a task that takes longer than expected', () => {
    const one = planOf({ a: {} });
    const soon = eta(one, started('a', 1, 0), 1, always(10, 0.7)) ?? [];
    const late = eta(one, started('a', 1, 0), 60, always(10, 0.7)) ?? [];
    expect(soon[0]).toBeGreaterThan(6000);
    expect(soon[0]).toBeLessThan(13_000);
    expect(late[0]).toBeGreaterThan(4000);
  });

  it('says how long it will hardly exceed, a tenth beyond what was drawn, the same each time', () => {
    const wide = planOf({ a: {}, b: {}, c: {}, d: {} }, { maxAgents: 4 });
    const [p50 = 0, p90 = 0] = eta(wide, [], 0, always(10, 0.7)) ?? [];
    // The largest of four: its median is e^(0.7·0.998), its ninth decile e^(0.7·1.946), of 10 s.
    expect(p50 / 20_110).toBeCloseTo(1, 0);
    expect(p90 / (39_050 * 1.1)).toBeGreaterThan(0.7);
    expect(p90 / (39_050 * 1.1)).toBeLessThan(1.4);
    expect(eta(wide, [], 0, always(10, 0.7))).toEqual([p50, p90]);
  });

  it('is quick for thousands of tasks', () => {
    const many = planOf(
      Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`t${at}`, {}])),
    );
    const before = process.cpuUsage();
    expect(eta(many, [], 0, always(10, 0.7))?.[0]).toBeGreaterThan(10_000_000);
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
  });

  it('tells how far a silent task is', () => {
    const view = viewOf(chain, [runStarted(chain), ...started('a', 1, 0)], always(20));
    const task = [...view.tasks.values()][0];
    expect(task && percentDone(view, task, second(5))).toBe(25);
  });
});
