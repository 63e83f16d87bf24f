import fc from 'fast-check';
import { parseRunId, parseTaskId } from '../model/ids';
import { conflictsWith, shortOf } from './compatibility';
import { leaseFrom, type LeaseRecord, type WaitRecord } from './lease-record';
import { decideGrant, describeBlocker, planGrants, type LockTable } from './lock-table';
import { priorityClass } from '../model/task';

const EMPTY: LockTable = { leases: [], waiters: [] };
const shared = {
  run: parseRunId('PEXEC-1'),
  owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
};

function waiter(
  ticket: number,
  writes: readonly string[],
  more: Partial<WaitRecord> = {},
): WaitRecord {
  return {
    ...shared,
    ticket,
    request: `r${ticket}`,
    ttlMs: 60_000,
    task: parseTaskId(`t${ticket}`),
    access: { reads: [], writes },
    resources: [],
    policy: 'wait',
    priority: 50,
    slots: [1, 2, 3],
    requestedAt: ticket,
    ...more,
  };
}

function leased(wait: WaitRecord, slot: number | null, token = 1_000 + wait.ticket): LeaseRecord {
  return leaseFrom(wait, { token, slot, grantedAt: 0 });
}

describe('decideGrant', () => {
  it('grants the first slot of the request that nobody has', () => {
    const leases = [leased(waiter(1, ['a']), 3), leased(waiter(2, ['b']), null)];
    const request = waiter(9, ['c'], { slots: [3, 2, 1] });
    expect(decideGrant({ leases, waiters: [] }, request)).toEqual({ granted: true, slot: 2 });
  });

  it('grants a request that wants no slot while every slot is taken, and takes none', () => {
    const leases = [1, 2, 3].map((slot) => leased(waiter(slot, [`x${slot}`]), slot));
    const request = waiter(8, ['a'], { slots: [] });
    expect(decideGrant({ leases, waiters: [] }, request)).toEqual({ granted: true, slot: null });
  });

  it('names the holders that are in the way', () => {
    const leases = [leased(waiter(1, ['a/**']), 1), leased(waiter(2, ['b/**']), 2)];
    const decision = decideGrant({ leases, waiters: [] }, waiter(9, ['a/x']));
    expect(decision).toEqual({ granted: false, blockers: [leases[0]] });
  });

  it('names those who have the slots when nothing else is in the way', () => {
    const leases = [leased(waiter(1, ['a']), 1), leased(waiter(2, ['b']), 2)];
    const decision = decideGrant({ leases, waiters: [] }, waiter(9, ['c'], { slots: [1] }));
    expect(decision).toEqual({ granted: false, blockers: [leases[0]] });
  });

  it('keeps excluding with the accesses of a lease that gave its slot back', () => {
    const leases = [leased(waiter(1, ['a']), null)];
    expect(decideGrant({ leases, waiters: [] }, waiter(9, ['a']))).toMatchObject({
      granted: false,
    });
  });

  it('does not let a later request overtake an earlier one it conflicts with', () => {
    const blocked = waiter(2, ['a', 'b']);
    const table = { leases: [leased(waiter(1, ['a']), 1)], waiters: [blocked] };
    expect(decideGrant(table, waiter(3, ['b']))).toEqual({ granted: false, blockers: [blocked] });
    expect(decideGrant(table, waiter(4, ['c']))).toEqual({ granted: true, slot: 2 });
  });

  it('lets a higher class overtake, and only a class', () => {
    const waiting = waiter(2, ['a'], { priority: 69 });
    const table = { leases: [], waiters: [waiting] };
    expect(decideGrant(table, waiter(3, ['a'], { priority: 70 }))).toMatchObject({ granted: true });
    expect(decideGrant(table, waiter(3, ['a'], { priority: 0 }))).toMatchObject({ granted: false });
    const high = { leases: [], waiters: [waiter(2, ['a'], { priority: 70 })] };
    expect(decideGrant(high, waiter(3, ['a'], { priority: 89 }))).toMatchObject({ granted: false });
    expect(decideGrant(high, waiter(3, ['a'], { priority: 90 }))).toMatchObject({ granted: true });
  });

  it('gives the last slot to whoever came first among those whose accesses are free', () => {
    const slots = [1];
    const blocked = waiter(2, ['a'], { slots });
    const first = waiter(3, ['b'], { slots });
    const table = { leases: [leased(waiter(1, ['a']), null)], waiters: [blocked, first] };
    expect(decideGrant(table, first)).toEqual({ granted: true, slot: 1 });
    expect(decideGrant(table, waiter(4, ['c'], { slots }))).toEqual({
      granted: false,
      blockers: [first],
    });
  });

  it('never grants a task of a run twice', () => {
    const holder = waiter(1, ['a'], { policy: 'auto_merge' });
    const table = { leases: [leased(holder, 1)], waiters: [] };
    const again = { ...holder, ticket: 2 };
    expect(decideGrant(table, again)).toMatchObject({ granted: false });
    const otherRun = { ...again, run: parseRunId('PEXEC-2') };
    expect(decideGrant(table, otherRun)).toMatchObject({ granted: true });
  });
});

describe('small rules', () => {
  it('sorts priorities into three classes', () => {
    expect([0, 69, 70, 89, 90, 100].map(priorityClass)).toEqual([2, 2, 1, 1, 0, 0]);
  });

  it('describes blockers for people', () => {
    const wait = waiter(1, []);
    const names = [wait, leased(wait, 3), leased(wait, null)].map(describeBlocker);
    expect(names).toEqual(['t1 (waiting)', 't1 (agent-3)', 't1']);
  });
});

describe('the lock table, whatever happens', () => {
  const CAPACITY = 3;
  const glob = fc.constantFrom('a/**', 'a/x', 'a/y', 'b/**', 'b/*.ts', 'c', '**');
  const request = fc.record({
    reads: fc.array(glob, { maxLength: 2 }),
    writes: fc.array(glob, { maxLength: 2 }),
    resources: fc.array(
      fc.oneof(
        fc.record({ id: fc.constantFrom('db', 'gpu'), exclusive: fc.boolean() }),
        fc.record({
          id: fc.constant('pool'),
          exclusive: fc.constant(false),
          amount: fc.integer({ min: 1, max: CAPACITY }),
          capacity: fc.constant(CAPACITY),
        }),
      ),
      { maxLength: 1 },
    ),
    policy: fc.constantFrom('wait' as const, 'auto_merge' as const),
    priority: fc.constantFrom(10, 75, 95),
    slots: fc.subarray([1, 2, 3, 4]),
  });
  /** Requests arrive and holders release, in any order. */
  const step = fc.oneof(
    fc.record({ kind: fc.constant('request' as const), request }),
    fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('free-slot' as const), pick: fc.nat() }),
  );

  function settle(table: LockTable, granted: number[]): LockTable {
    let { leases, waiters } = table;
    for (const waiting of [...waiters]) {
      const decision = decideGrant({ leases, waiters }, waiting);
      if (!decision.granted) continue;
      granted.push(waiting.ticket);
      leases = [...leases, leased(waiting, decision.slot)];
      waiters = waiters.filter((other) => other.ticket !== waiting.ticket);
    }
    return { leases, waiters };
  }

  function checkHolders({ leases }: LockTable): void {
    const slots = leases.flatMap(({ slot }) => slot ?? []);
    expect(new Set(slots).size).toBe(slots.length);
    const taken = leases.flatMap(({ resources }) => resources.map(({ amount = 0 }) => amount));
    expect(taken.reduce((sum, amount) => sum + amount, 0)).toBeLessThanOrEqual(CAPACITY);
    for (const [at, a] of leases.entries()) {
      for (const b of leases.slice(at + 1)) expect(conflictsWith(a, b)).toBe(false);
    }
  }

  /** Nobody holds what somebody earlier of the same or a higher class waits for and conflicts with. */
  function checkOrder(before: LockTable, ticket: number): void {
    const mine = before.waiters.find((other) => other.ticket === ticket);
    if (mine === undefined) return;
    for (const other of before.waiters) {
      const first =
        priorityClass(other.priority) < priorityClass(mine.priority) ||
        (priorityClass(other.priority) === priorityClass(mine.priority) && other.ticket < ticket);
      if (!first) continue;
      expect(conflictsWith(mine, other)).toBe(false);
      expect(shortOf(mine, [other])).toEqual([]);
    }
  }

  it('has no two conflicting holders, no slot twice, no overtaking, and serves everybody', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let table = EMPTY;
        let ticket = 0;
        for (const one of steps) {
          if (one.kind === 'request') {
            const { reads, writes, ...rest } = one.request;
            const arrived = waiter((ticket += 1), writes, { access: { reads, writes }, ...rest });
            table = { ...table, waiters: [...table.waiters, arrived] };
          } else if (table.leases.length > 0) {
            const at = one.pick % table.leases.length;
            const leases =
              one.kind === 'release'
                ? table.leases.filter((_, index) => index !== at)
                : table.leases.map((lease, index) =>
                    index === at ? { ...lease, slot: null } : lease,
                  );
            table = { ...table, leases };
          }
          const before = table;
          const granted: number[] = [];
          table = settle(table, granted);
          checkHolders(table);
          // The first grant of a step was decided on `before` itself.
          if (granted[0] !== undefined) checkOrder(before, granted[0]);
        }
        // Holders release one after the other: in the end nobody is left waiting.
        while (table.waiters.length > 0) {
          expect(table.leases.length).toBeGreaterThan(0);
          table = settle({ ...table, leases: table.leases.slice(1) }, []);
          checkHolders(table);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('plans the same grants at once as one after the other', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 10 }), (requests) => {
        const waiters = requests.map(({ reads, writes, ...rest }, at) =>
          waiter(at + 1, writes, { access: { reads, writes }, ...rest }),
        );
        const together = [...planGrants({ leases: [], waiters })]
          .filter(([, decision]) => decision.granted)
          .map(([ticket]) => ticket);
        const oneByOne: number[] = [];
        settle({ leases: [], waiters }, oneByOne);
        expect(oneByOne.sort()).toEqual(together.sort());
      }),
      { numRuns: 200 },
    );
  });
});
