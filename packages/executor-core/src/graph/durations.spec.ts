import { planOf } from '../testing/run-fixture';
import { learnDurations, type DurationSample } from './durations';

const { tasks } = planOf({
  routes: { taskType: 'api', project: 'shop' },
  forms: { taskType: 'api', project: 'shop' },
  other: { taskType: 'api', project: 'blog' },
  docs: { taskType: 'text', project: 'blog' },
  gate: { profile: null },
});
const [routes, forms, other, docs, gate] = tasks;
const keyOf = ({ id }: { readonly id: string }): string => `key of ${id}`;

function sample(id: string, ms: number, changes: Partial<DurationSample> = {}): DurationSample {
  const task = tasks.find((one) => one.id === id);
  return {
    key: `key of ${id}`,
    taskType: task?.taskType ?? null,
    project: task?.project ?? null,
    profile: task?.profile ?? '',
    ms,
    at: 0,
    ok: true,
    ...changes,
  };
}

const expected = (history: readonly DurationSample[]) => {
  const { expectedMs } = learnDurations(history, keyOf);
  return (task: (typeof tasks)[number] | undefined) =>
    task === undefined ? undefined : expectedMs(task);
};

describe('learned durations', () => {
  it('are unknown without history, and for nobody but milestones', () => {
    const of = expected([]);
    expect([of(routes), of(gate)]).toEqual([null, 0]);
    expect(expected([sample('routes', 100, { ok: false })])(routes)).toBeNull();
    expect(learnDurations([sample('routes', Number.NaN)], keyOf).samples).toBe(0);
  });

  it('of a task that ran three times are close to what it took', () => {
    const history = [100, 110, 90].map((ms) => sample('routes', ms));
    const far = Array.from({ length: 30 }, () => sample('docs', 10_000));
    const ms = expected([...history, ...far])(routes) ?? 0;
    expect(ms).toBeGreaterThan(90);
    expect(ms).toBeLessThan(1000);
    expect(expected(history)(routes)).toBeCloseTo(107, -1);
  });

  it('of a new task are those of its kind, then of its type, then of all', () => {
    const many = (id: string, ms: number) => Array.from({ length: 20 }, () => sample(id, ms));
    const of = expected([...many('routes', 1000), ...many('docs', 100_000)]);
    const [kind, type] = [of(forms) ?? 0, of(other) ?? 0];
    expect(kind).toBeGreaterThan(900);
    expect(kind).toBeLessThan(1600);
    expect(type).toBeGreaterThanOrEqual(kind);
    expect(type).toBeLessThan(3000);
    expect(of(docs)).toBeGreaterThan(50_000);
  });

  it('come from the latest thirty successes, whatever their order in the file', () => {
    const old = Array.from({ length: 100 }, (_, at) => sample('routes', 1_000_000, { at }));
    const recent = Array.from({ length: 30 }, (_, at) => sample('routes', 10, { at: 1000 + at }));
    expect(expected([...recent, ...old])(routes)).toBeLessThan(12);
  });

  it('are sure where attempts agree and unsure where they differ', () => {
    const spread = (values: readonly number[]): number =>
      learnDurations(
        values.map((ms) => sample('routes', ms)),
        keyOf,
      ).estimate(tasks[0] as (typeof tasks)[number])?.sigma ?? 0;
    const alike = Array.from({ length: 12 }, () => 100);
    expect(spread(alike)).toBeLessThan(0.3);
    expect(spread(alike.map((ms, at) => (at % 2 === 0 ? ms : ms * 20)))).toBeGreaterThan(1);
    expect(spread([100])).toBeGreaterThan(0.3);
  });
});
