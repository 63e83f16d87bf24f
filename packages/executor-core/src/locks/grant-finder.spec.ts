import fc from 'fast-check';
import { parseRunId, parseTaskId } from '../model/ids';
import { conflictsWith } from './compatibility';
import { GrantFinder } from './grant-finder';
import { leaseFrom, type WaitRecord } from './lease-record';
import { planGrants, type ConflictTest, type LockTable } from './lock-table';

function waiter(ticket: number, more: Partial<WaitRecord>): WaitRecord {
  return {
    ticket,
    request: `r${ticket}`,
    run: parseRunId('PEXEC-1'),
    task: parseTaskId(`t${ticket % 7}`),
    owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    ttlMs: 60_000,
    access: { reads: [], writes: [] },
    resources: [],
    policy: 'wait',
    priority: 50,
    slots: [],
    requestedAt: ticket,
    ...more,
  };
}

/** What the rules say. */
function planned(table: LockTable): readonly unknown[] {
  return [...planGrants(table)].flatMap(([ticket, decision]) =>
    decision.granted ? [{ ticket, slot: decision.slot }] : [],
  );
}

const glob = fc.constantFrom('a/**', 'a/x', 'a/y', 'b/**', 'b/*.ts', 'c', '**');
const access = fc.record({
  reads: fc.array(glob, { maxLength: 2 }),
  writes: fc.array(glob, { maxLength: 2 }),
});
const resource = fc.oneof(
  fc.record({ id: fc.constantFrom('db', 'pool'), exclusive: fc.boolean() }),
  fc.record({
    id: fc.constant('pool'),
    exclusive: fc.constant(false),
    amount: fc.integer({ min: 1, max: 3 }),
    capacity: fc.constant(3),
  }),
);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('arrive' as const),
    access,
    resources: fc.array(resource, { maxLength: 1 }),
    policy: fc.constantFrom('wait' as const, 'auto_merge' as const),
    priority: fc.constantFrom(10, 75, 95),
    slots: fc.subarray([1, 2, 3]),
  }),
  fc.record({ kind: fc.constantFrom('release', 'withdraw', 'free-slot'), pick: fc.nat() }),
  fc.record({ kind: fc.constant('widen' as const), pick: fc.nat(), access }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function without<T>(list: readonly T[], pick: number): readonly T[] {
  return list.filter((_, at) => at !== pick % list.length);
}

function apply({ leases, waiters }: LockTable, one: Step, ticket: number): LockTable {
  if ('priority' in one) {
    return { leases, waiters: [...waiters, waiter(ticket, { ...one })] };
  }
  if (one.kind === 'release') return { leases: without(leases, one.pick), waiters };
  if (one.kind === 'withdraw') return { leases, waiters: without(waiters, one.pick) };
  const changed = leases.map((lease, at) => {
    if (at !== one.pick % leases.length) return lease;
    if (!('access' in one)) return { ...lease, slot: null };
    const writes = [...lease.access.writes, ...one.access.writes];
    return { ...lease, access: { ...lease.access, writes } };
  });
  return { leases: changed, waiters };
}

describe('finding grants', () => {
  it('finds those of the plan, whatever has happened before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), (steps) => {
        const finder = new GrantFinder(conflictsWith);
        let table: LockTable = { leases: [], waiters: [] };
        for (const [at, [one, take]] of steps.entries()) {
          table = apply(table, one, at + 1);
          const grants = finder.find(table);
          expect(grants).toEqual(planned(table));
          // A grant may come to nothing: its owner is away, or its file cannot be written.
          if (take) {
            for (const { ticket, slot } of grants) {
              const wait = table.waiters.find((other) => other.ticket === ticket);
              if (wait === undefined) throw new Error('a grant for nobody');
              const lease = leaseFrom(wait, { token: 1_000 + ticket, slot, grantedAt: 0 });
              table = {
                leases: [...table.leases, lease],
                waiters: table.waiters.filter((other) => other !== wait),
              };
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('looks at nobody else while the one in the way is there', () => {
    const test = jest.fn<boolean, Parameters<ConflictTest>>(conflictsWith);
    const finder = new GrantFinder(test);
    const write = (ticket: number): WaitRecord =>
      waiter(ticket, { access: { reads: [], writes: ['a'] } });
    const holder = leaseFrom(write(1), { token: 9, slot: null, grantedAt: 0 });
    const waiters = [write(2), write(3), write(4)];
    finder.find({ leases: [holder], waiters });
    const before = test.mock.calls.length;
    finder.find({ leases: [holder], waiters });
    expect(test.mock.calls.length).toBe(before);
    expect(finder.find({ leases: [], waiters })).toEqual([{ ticket: 2, slot: null }]);
  });
});
