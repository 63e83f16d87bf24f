import type { Resource } from '../model/access';
import type { ConflictPolicy } from '../model/task';
import { conflictsWith, shortOf, type Demand } from './compatibility';

function demand(
  reads: readonly string[],
  writes: readonly string[],
  policy: ConflictPolicy = 'wait',
  resources: readonly Resource[] = [],
): Demand {
  return { access: { reads, writes }, resources, policy };
}

function both(a: Demand, b: Demand): boolean {
  expect(conflictsWith(a, b)).toBe(conflictsWith(b, a));
  return conflictsWith(a, b);
}

describe('conflictsWith', () => {
  it('lets readers of the same files run together', () => {
    expect(both(demand(['src/**'], []), demand(['src/a.ts'], []))).toBe(false);
  });

  it('excludes a writer from every overlap, read or write', () => {
    const writer = demand([], ['src/**']);
    expect(both(writer, demand(['src/a.ts'], []))).toBe(true);
    expect(both(writer, demand([], ['src/b/*.ts']))).toBe(true);
    expect(both(writer, demand(['lib/**'], ['docs/**']))).toBe(false);
  });

  it.each(['auto_merge', 'manual', 'priority'] as const)(
    'lets overlapping writers run together when both sides have a policy: %s',
    (policy) => {
      expect(both(demand([], ['a'], policy), demand([], ['a'], 'auto_merge'))).toBe(false);
      expect(both(demand([], ['a'], policy), demand([], ['a'], 'wait'))).toBe(true);
    },
  );

  it('lets an exclusive resource exclude whatever the policy', () => {
    const exclusive = demand([], ['a'], 'auto_merge', [{ id: 'db', exclusive: true }]);
    const shared = demand([], ['b'], 'auto_merge', [{ id: 'db', exclusive: false }]);
    const other = demand([], ['c'], 'auto_merge', [{ id: 'gpu', exclusive: true }]);
    expect(both(exclusive, exclusive)).toBe(true);
    expect(both(exclusive, shared)).toBe(true);
    expect(both(shared, shared)).toBe(false);
    expect(both(exclusive, other)).toBe(false);
  });
});

describe('shortOf', () => {
  const of = (amount: number | undefined, capacity: number | null = 4): Demand =>
    demand([], [], 'wait', [{ id: 'gpu', exclusive: false, capacity, ...(amount && { amount }) }]);

  it('lets holders have as much as there is, and names them all when there is not enough', () => {
    const holders = [of(2), of(undefined)];
    expect(shortOf(of(1), holders)).toEqual([]);
    expect(shortOf(of(2), holders)).toEqual(holders);
    expect(shortOf(of(2), [...holders, demand([], ['a'])])).toEqual(holders);
  });

  it('gives the whole to one that asks for more than there is', () => {
    expect(shortOf(of(9), [])).toEqual([]);
    const holder = of(9);
    expect(shortOf(of(1), [holder])).toEqual([holder]);
  });

  it('does not count what has no capacity, nor what one holder excludes all others from', () => {
    expect(shortOf(of(9, null), [of(9)])).toEqual([]);
    const exclusive = demand([], [], 'wait', [{ id: 'gpu', exclusive: true, capacity: 1 }]);
    expect(shortOf(exclusive, [of(1)])).toEqual([]);
    expect(both(exclusive, of(1))).toBe(true);
  });
});
