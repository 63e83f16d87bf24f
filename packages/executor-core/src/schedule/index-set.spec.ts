import fc from 'fast-check';
import { IndexSet } from './index-set';

describe('IndexSet', () => {
  it('does what a set does, in ascending order, and leaves older sets alone', () => {
    const item = fc.nat({ max: 199 });
    const step = fc.record({ add: fc.boolean(), item });
    fc.assert(
      fc.property(fc.array(item), fc.array(step), (first, steps) => {
        let set = IndexSet.of(200, first);
        const model = new Set(first);
        for (const { add, item: value } of steps) {
          const before = set.toArray();
          const next = add ? set.add(value) : set.delete(value);
          expect(set.toArray()).toEqual(before);
          expect(next === set).toBe(model.has(value) === add);
          if (add) model.add(value);
          else model.delete(value);
          set = next;
        }
        expect(set.toArray()).toEqual([...model].sort((a, b) => a - b));
        expect(set.size).toBe(model.size);
        expect([...Array(200).keys()].filter((n) => set.has(n))).toEqual(set.toArray());
      }),
    );
  });

  it('stops at the first item it is told to', () => {
    const seen: number[] = [];
    const set = IndexSet.of(100, [70, 3, 31, 32]);
    expect(set.some((item) => seen.push(item) === 2)).toBe(true);
    expect(seen).toEqual([3, 31]);
    expect(set.some(() => false)).toBe(false);
  });

  it('refuses what is outside of it', () => {
    expect(() => IndexSet.of(10).add(500)).toThrow(RangeError);
  });
});
