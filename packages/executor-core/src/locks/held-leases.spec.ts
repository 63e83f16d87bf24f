import { parseTaskId } from '../model/ids';
import { HeldLeases } from './held-leases';
import type { LeaseRecord } from './lease-record';
import type { ToLeader } from './leader-messages';
import type { TableHome } from './table-home';

const task = parseTaskId('t');
let said: ToLeader[];
let removed: number[];
let held: HeldLeases;

beforeEach(() => {
  said = [];
  removed = [];
  const remove: TableHome['remove'] = (record) => {
    if ('token' in record) removed.push(record.token);
    return Promise.resolve(true);
  };
  held = new HeldLeases({
    home: { remove, dropSlot: () => Promise.resolve(true) } as unknown as TableHome,
    keeper: {
      keep: () => undefined,
      wake: () => undefined,
      drop: () => undefined,
      stop: () => undefined,
    },
    send: (message) => {
      said.push(message);
      return true;
    },
  });
});

const lease = (token: number): LeaseRecord => ({ token, task, slot: 1 }) as LeaseRecord;

describe('what is given back', () => {
  it('is the leader’s to remove, and wanted until it has said so', async () => {
    held.add(lease(1));
    held.giveBack(lease(1));
    expect(said).toEqual([{ op: 'released', token: 1 }]);
    expect([held.get(1), held.isReturning(1), held.size]).toEqual([null, true, 1]);
    held.confirm([1, 99]);
    expect([held.isReturning(1), held.size]).toEqual([false, 0]);
    await held.removeReturning();
    expect(removed).toEqual([]);
  });

  it('is removed by its owner when no leader has confirmed it', async () => {
    held.add(lease(1));
    held.add(lease(2));
    held.giveBack(lease(1));
    await held.removeReturning();
    expect(removed).toEqual([1]);
    expect(held.size).toBe(1);
    expect(said.filter(({ op }) => op === 'released')).toHaveLength(2);
  });
});

describe('a slot', () => {
  it('is given back once', async () => {
    held.add(lease(1));
    expect(await held.dropSlot(lease(1))).toBe(true);
    expect(held.get(1)?.slot).toBeNull();
    expect(await held.dropSlot({ ...lease(1), slot: null })).toBe(true);
    expect(said).toEqual([{ op: 'slotFree', token: 1 }]);
  });
});
