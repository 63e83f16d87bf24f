import type { DurationModel, Plan } from '@parallel-executor/core';
import { learnDurations } from '@parallel-executor/core';
import { planOf } from '@parallel-executor/core/testing';
import { forecast } from './forecast';
import { NO_HISTORY } from './testing/fake-world';
import { forecastText } from './ui/forecast-text';

const shown = (plan: Plan, model: DurationModel = NO_HISTORY) => forecast(plan, model);
const text = (plan: Plan, model: DurationModel = NO_HISTORY): string =>
  forecastText(forecast(plan, model), {
    tty: false,
    color: false,
    unicode: false,
    columns: 200,
    rows: 50,
  }).join('\n');

/** A model in which every task has succeeded often, each time after `ms[id]`. */
export function modelOf(plan: Plan, ms: Readonly<Record<string, number>>): DurationModel {
  const history = plan.tasks.flatMap((task) =>
    Array.from({ length: 30 }, (_, at) => ({
      key: task.id,
      taskType: task.taskType,
      project: task.project,
      profile: task.profile ?? '',
      ms: ms[task.id] ?? 1,
      at,
      ok: true,
    })),
  );
  return learnDurations(history, ({ id }) => id);
}

describe('the forecast', () => {
  it('shows the shape of a plan that names no agent yet', () => {
    const answer = shown(
      planOf({
        a: { profile: null },
        b: { profile: null },
        c: { profile: null, dependsOn: ['a', 'b'] },
      }),
    );
    expect(answer).toMatchObject({
      levels: [['a', 'b'], ['c']],
      groups: [{ tasks: ['a', 'b'], estimated_speedup: 2 }, { tasks: ['c'] }],
      work: 3,
      span: 2,
    });
    expect(answer.tasks[0]).toMatchObject({ id: 'a', agent: null });
  });

  it('says what worktrees get where the plan does not', () => {
    const with_ = (byDefault: true | undefined): Plan => {
      const plan = planOf({ a: {} });
      const own = { copy: [], link: ['node_modules'], run: [] };
      const setup = byDefault === undefined ? own : { ...own, byDefault };
      return { ...plan, settings: { ...plan.settings, setup } };
    };
    const line =
      'Worktrees get links to what is installed in node_modules (setup: {} turns it off)';
    expect(text(with_(true))).toContain(line);
    expect(text(with_(undefined))).not.toContain('Worktrees get');
    expect(shown(with_(true)).setup).toEqual({
      copy: [],
      hardlink: [],
      link: ['node_modules'],
      run: [],
      by_default: true,
    });
    expect(shown(planOf({ a: {} })).setup.by_default).toBe(false);
  });

  it('does not count milestones beside real work', () => {
    const answer = shown(planOf({ a: {}, m: { profile: null, dependsOn: ['a'] } }));
    expect(answer).toMatchObject({ work: 1, span: 1, groups: [{ tasks: ['a'] }] });
  });

  it('promises no speed-up when undeclared writes exclude everything, and says why', () => {
    const alone = { writes: ['**'], writesDeclared: false };
    const answer = shown(planOf({ a: alone, b: alone, c: alone }));
    expect(answer.estimated_speedup).toBe(1);
    expect(answer.conflicts).toHaveLength(3);
    expect(answer.warnings.join('\n')).toContain('No writes are declared for a, b, c');
  });

  it.each([
    ['wait', 'one after the other', 1],
    ['auto_merge', 'at once, merged afterwards', 2],
    ['manual', 'at once, a conflict waits for a person', 2],
    ['priority', 'at once, the higher priority wins a conflict', 2],
  ] as const)('tells how overlapping writers are scheduled under %s', (policy, how, speedup) => {
    const same = { writes: ['src/**'] };
    const answer = shown(planOf({ a: same, b: same }, { conflictPolicy: policy }));
    expect(answer.conflicts[0]?.scheduled).toBe(how);
    expect(answer.estimated_speedup).toBe(speedup);
  });

  it('keeps an exclusive resource apart under every policy', () => {
    const db = { resources: [{ id: 'db', exclusive: true }] };
    const answer = shown(planOf({ a: db, b: db }, { conflictPolicy: 'auto_merge' }));
    expect(answer.conflicts[0]).toMatchObject({
      why: 'resource',
      scheduled: 'one after the other',
    });
  });

  it('sees two tasks that together take more of a counted resource than there is', () => {
    const gpu = (amount: number) => ({
      resources: [{ id: 'gpu', exclusive: false, amount, capacity: 4 }],
    });
    const answer = shown(planOf({ a: gpu(3), b: gpu(2), c: gpu(1) }));
    expect(answer.conflicts.map(({ a, b, why }) => [a, b, why])).toEqual([['a', 'b', 'resource']]);
  });

  it('warns when there are more agents than the graph has work for', () => {
    expect(shown(planOf({ a: {}, b: {} }, { maxAgents: 2 })).warnings).toEqual([]);
    const chain = planOf({ a: {}, b: {}, c: { dependsOn: ['a', 'b'] } }, { maxAgents: 25 });
    expect(shown(chain)).toMatchObject({
      useful_agents: 2,
      warnings: [expect.stringContaining('25 agents are allowed')],
    });
    expect(shown(chain).warnings[0]).toContain('W/S = 1.5');
  });
});

describe('the conflict forecast of a plan', () => {
  const writes = { writes: ['src/**'] };

  it('tells the likely pairs with the lines that keep them apart', () => {
    const plan = planOf({ api: writes, web: writes }, { conflictPolicy: 'auto_merge' });
    expect(shown(plan).conflict_forecast).toMatchObject([{ tasks: ['api', 'web'], score: 0.9 }]);
    expect(text(plan)).toContain(
      [
        '  0.90  api and web: both write src/**',
        '        to have api land first, write:',
        '          tasks:',
        '            web:',
        '              depends_on: [api]',
      ].join('\n'),
    );
  });

  it('says that nothing is to be done where locks do it', () => {
    expect(text(planOf({ api: writes, web: writes }))).toContain(
      'their locks let them run one after the other already',
    );
  });

  it('learns from what the repository tells', () => {
    const commits = Array.from({ length: 3 }, () => ['a/x', 'b/x']);
    const answer = forecast(planOf({ a: {}, b: {} }), NO_HISTORY, { commits, projects: null });
    expect(answer.conflict_forecast[0]).toMatchObject({ score: 1, offer: { kind: 'lock' } });
    expect(text(planOf({ a: {}, b: {} }))).not.toContain('Conflict forecast');
  });
});

describe('what a barrier costs', () => {
  const plan = planOf(
    {
      long: { phase: 'one' },
      short: { phase: 'one' },
      next: { phase: 'two', dependsOn: ['short'] },
      last: { phase: 'three', dependsOn: ['next', 'long'] },
    },
    {},
    ['one', 'two', 'three'],
  );

  it('is the time the run would be shorter without it', () => {
    const model = modelOf(plan, { long: 60_000, short: 10_000, next: 50_000, last: 1000 });
    const answer = shown(plan, model);
    const [first, second] = answer.barriers ?? [];
    expect(first?.after).toBe('one');
    expect((first?.cost ?? 0) / 50_000).toBeCloseTo(1, 1);
    expect(second).toEqual({ after: 'two', cost: 0 });
    expect(text(plan, model)).toMatch(/after one: costs \d+ s\n {2}after two: costs nothing/);
  });

  it('is told in tasks where durations are unknown, and not at all without phases', () => {
    const wide = planOf(
      { a: { phase: 'p' }, b: { phase: 'p' }, c: { phase: 'q' }, d: {} },
      { maxAgents: 4 },
      ['p', 'q'],
    );
    expect(shown(wide).barriers).toEqual([{ after: 'p', cost: 1 }]);
    expect(text(wide)).toContain('after p: costs 1 task');
    expect(text(planOf({ a: {} }))).not.toContain('Barriers');
  });

  it('is not worked out where that would take long', () => {
    const phases = Array.from({ length: 21 }, (_, at) => `p${at}`);
    expect(shown(planOf({ a: {} }, {}, phases)).barriers).toBeNull();
  });
});

describe('learned durations', () => {
  it('weigh work, span and the critical path, and say so', () => {
    const plan = planOf({ a: {}, b: {}, c: { dependsOn: ['b'] } });
    const model = modelOf(plan, { a: 90_000, b: 20_000, c: 10_000 });
    const answer = shown(plan, model);
    expect(answer).toMatchObject({ durations: 'learned', work: 3, span: 2, critical_path: ['a'] });
    expect((answer.expected?.span_ms ?? 0) / 90_000).toBeCloseTo(1, 1);
    expect(answer.expected?.makespan_ms).toBe(answer.expected?.span_ms);
    expect(text(plan, model)).toContain('done in about 1 min');
    expect(shown(plan)).toMatchObject({ durations: 'unknown', expected: null });
    expect(text(plan)).toContain('durations unknown');
  });
});
