import { planOf } from '@parallel-executor/core/testing';
import { forecast } from './forecast';

describe('the forecast', () => {
  it('shows the shape of a plan that names no agent yet', () => {
    const shown = forecast(
      planOf({
        a: { profile: null },
        b: { profile: null },
        c: { profile: null, dependsOn: ['a', 'b'] },
      }),
    );
    expect(shown).toMatchObject({
      levels: [['a', 'b'], ['c']],
      groups: [{ tasks: ['a', 'b'], estimated_speedup: 2 }, { tasks: ['c'] }],
      work: 3,
      span: 2,
    });
    expect(shown.tasks[0]).toMatchObject({ id: 'a', agent: null });
  });

  it('does not count milestones beside real work', () => {
    const shown = forecast(planOf({ a: {}, m: { profile: null, dependsOn: ['a'] } }));
    expect(shown).toMatchObject({ work: 1, span: 1, groups: [{ tasks: ['a'] }] });
  });
});
