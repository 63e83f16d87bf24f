import { parseTaskId } from '../model/ids';
import { candidateOf, planOf } from '../testing/run-fixture';
import { inLandingOrder } from './landing-order';

const waitingFor = (...names: readonly string[]) =>
  names.map((name) => ({ task: parseTaskId(name), attempt: 1, candidate: candidateOf(name) }));

describe('the order of landing', () => {
  const plan = planOf({ a: {}, b: { priority: 90 }, c: {}, d: { priority: 75 } });
  const order = (...names: readonly string[]) =>
    inLandingOrder(waitingFor(...names), plan).map(({ task }) => task);

  it('puts the more important before the less important', () => {
    expect(order('a', 'd', 'b')).toEqual(['b', 'd', 'a']);
  });

  it('leaves those of the same priority as they came', () => {
    expect(order('c', 'a')).toEqual(['c', 'a']);
    expect(order('a', 'c')).toEqual(['a', 'c']);
  });
});
