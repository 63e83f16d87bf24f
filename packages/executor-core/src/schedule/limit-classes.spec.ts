import { DEFAULT_SETTINGS, planOf } from '../testing/plan';
import { limitClasses, NO_CLASS } from './limit-classes';

describe('limit classes', () => {
  const plan = planOf({
    settings: { ...DEFAULT_SETTINGS, limits: { team: { dev: 2 }, taskType: { heavy: 1 } } },
    agents: [{ name: 'shell', maxParallel: 5 }, { name: 'other' }],
    tasks: [
      { id: 'a', team: 'dev' },
      { id: 'b', team: 'dev' },
      { id: 'c', team: 'dev', taskType: 'heavy' },
      { id: 'd', team: 'qa' },
      { id: 'e', profile: null },
      { id: 'f', profile: 'other', team: 'qa' },
      { id: 'g', profile: 'other', team: 'dev' },
    ],
  });
  const { limits, classOf } = limitClasses(plan);

  it('puts tasks together that the same limits bind', () => {
    const [a, b, c, d, e, f, g] = classOf;
    expect(a).toBe(b);
    expect(new Set([a, c, d, f, g]).size).toBe(5);
    expect(e).toBe(NO_CLASS);
  });

  it('gives the limits of each class, with one key for each team, type and profile', () => {
    const limitsOf = (index: number) => limits[classOf[index] ?? NO_CLASS] ?? [];
    expect(limitsOf(0).map(({ limit }) => limit)).toEqual([2, 5]);
    expect(limitsOf(2).map(({ limit }) => limit)).toEqual([2, 1, 5]);
    expect(limitsOf(3).map(({ limit }) => limit)).toEqual([5]);
    expect(limitsOf(5)).toEqual([]);
    const [team, profile] = limitsOf(0);
    expect(limitsOf(2)).toContainEqual(team);
    expect(limitsOf(3)).toEqual([profile]);
    expect(limitsOf(6)).toEqual([team]);
    const keys = limits.flat().map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
  });
});
