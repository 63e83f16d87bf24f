import * as fc from 'fast-check';
import type { Affected } from '../graph/affected';
import { meets } from '../graph/affected';
import { placeInLanes } from './lanes';

const of = (...names: string[]): Affected => new Set(names);
const place = (items: readonly Affected[], lanes: readonly Affected[] = []): unknown =>
  placeInLanes(
    items.map((affected, item) => ({ item, affected })),
    lanes,
  ).map(({ item, lane }) => [item, lane]);

describe('lanes', () => {
  it('are one for each group of changes that share a project', () => {
    const placed = place([of('a'), of('b'), of('a', 'c'), of('c')]);
    expect(placed).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 0],
    ]);
  });

  it('keep a change that would tie two of them together waiting, and what meets it behind it', () => {
    const placed = place([of('a', 'b'), of('b'), of('c')], [of('a'), of('b')]);
    expect(placed).toEqual([[2, 2]]);
  });

  it('are all in the way of a change that may concern any project', () => {
    expect(place(['all', of('c')], [of('a'), of('b')])).toEqual([]);
    expect(place(['all', of('c')], [of('a')])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect(place(['all', 'all'])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  it('never share a project, and nobody overtakes a change it meets', () => {
    const affected = fc.oneof(
      { weight: 9, arbitrary: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'], { minLength: 1 }) },
      { weight: 1, arbitrary: fc.constant('all' as const) },
    );
    const sets = fc.array(affected.map((some) => (some === 'all' ? some : new Set(some))));
    fc.assert(
      fc.property(sets, (items) => {
        const placed = placeInLanes(
          items.map((some, item) => ({ item, affected: some })),
          [],
        );
        for (const one of placed) {
          for (const other of placed) {
            if (one.lane !== other.lane) expect(meets(one.affected, other.affected)).toBe(false);
          }
          const inside = new Set(placed.map(({ item }) => item));
          for (let before = 0; before < one.item; before += 1) {
            if (!inside.has(before))
              expect(meets(items[before] ?? 'all', one.affected)).toBe(false);
          }
        }
      }),
    );
  });
});
