import fc from 'fast-check';
import { Chunked } from './chunked';

const SIZE = 2100;

describe('Chunked', () => {
  it('does what an array does, and leaves older ones alone', () => {
    const index = fc.nat({ max: SIZE - 1 });
    const step = fc.record({ indexes: fc.array(index, { maxLength: 6 }), value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const model = Array.from({ length: SIZE }, (_, at) => at);
        let chunked = Chunked.from(model);
        for (const { indexes, value } of steps) {
          const [before, old] = [chunked.toArray(), chunked];
          const [first] = indexes;
          if (first !== undefined && indexes.length === 1) {
            chunked = chunked.with(first, value);
            model[first] = value;
          } else {
            chunked = chunked.withEach(indexes, (known, position) => known + position + value);
            indexes.forEach((at, position) => {
              model[at] = (model[at] ?? 0) + position + value;
            });
          }
          expect(old.toArray()).toEqual(before);
        }
        expect(chunked.toArray()).toEqual(model);
        expect([0, 31, 32, 1023, 1024, SIZE - 1].map((at) => chunked.get(at))).toEqual(
          [0, 31, 32, 1023, 1024, SIZE - 1].map((at) => model[at]),
        );
      }),
    );
  });

  it('is the same where nothing changes, and stops when it is told to', () => {
    const chunked = Chunked.from(['a', 'b', 'c']);
    expect(chunked.with(1, 'b')).toBe(chunked);
    expect(chunked.withEach([], () => 'x')).toBe(chunked);
    const seen: number[] = [];
    expect(chunked.some((item, index) => seen.push(index) > 0 && item === 'b')).toBe(true);
    expect(seen).toEqual([0, 1]);
  });

  it('refuses what is outside of it', () => {
    const chunked = Chunked.from([1, 2, 3]);
    for (const index of [-1, 3, 40, 5000]) {
      expect(() => chunked.get(index)).toThrow(RangeError);
      expect(() => chunked.with(index, 1)).toThrow(RangeError);
      expect(() => chunked.withEach([index], () => 1)).toThrow(RangeError);
    }
    expect(() => Chunked.from<number>([]).get(0)).toThrow(RangeError);
  });
});
