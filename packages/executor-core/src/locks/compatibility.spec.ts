import type { Resource } from '../model/access';
import type { ConflictPolicy } from '../model/task';
import { conflictsWith, type Demand } from './compatibility';

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
