import { planOf } from '../testing/plan';
import { prepareProblem } from './problem';

const plan = planOf({
  tasks: [
    { id: 'short', writes: [] },
    'head',
    { id: 'tail', dependsOn: ['head'] },
    { id: 'long' },
    { id: 'mark', profile: null, dependsOn: ['short'] },
  ],
});
const orderOf = (expected?: Parameters<typeof prepareProblem>[1]): string[] => {
  const { order, rank } = prepareProblem(plan, expected);
  expect(order.map((index) => rank[index])).toEqual([0, 1, 2, 3, 4]);
  return order.map((index) => plan.tasks[index]?.id ?? '');
};

describe('the order of preference', () => {
  it('counts hops while nothing is known; a milestone costs nothing and comes first', () => {
    expect(orderOf()).toEqual(['mark', 'head', 'short', 'tail', 'long']);
  });

  it('follows the longest path in expected time', () => {
    const times: Record<string, number> = { short: 5, head: 10, tail: 20, long: 100 };
    expect(orderOf((task) => times[task.id] ?? null)).toEqual([
      'mark',
      'long',
      'head',
      'tail',
      'short',
    ]);
  });

  it('takes a task of which nothing is known for a typical one', () => {
    const times: Record<string, number> = { short: 50, long: 90 };
    // head and tail count 90 each, the median of what is known.
    expect(orderOf((task) => times[task.id] ?? null).slice(1, 3)).toEqual(['head', 'tail']);
  });
});
