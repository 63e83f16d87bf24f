import * as fc from 'fast-check';
import { FailureRate } from './failure-rate';
import type { PrefixSearch, SearchLimits } from './prefix-search';
import {
  afterGreen,
  afterRed,
  extendSearch,
  greenThroughout,
  hasCulprit,
  holding,
  nextPrefix,
  startSearch,
  starting,
} from './prefix-search';

interface Outcome {
  readonly landed: readonly number[];
  readonly evicted: readonly number[];
  readonly runs: number;
}

type IsRed = (tree: readonly number[]) => boolean;

/** Drives the search over candidates 0..n-1; verdicts arrive in the order `pick` draws. */
function settle(
  n: number,
  isRed: IsRed,
  limits: SearchLimits,
  pick: (running: readonly number[]) => number = ([first = 0]) => first,
): Outcome {
  let search: PrefixSearch = startSearch(n);
  const queue = Array.from({ length: n }, (_, index) => index);
  const landed: number[] = [];
  const evicted: number[] = [];
  let runs = 0;
  while (search.size > 0) {
    for (;;) {
      const count = nextPrefix(search, limits);
      if (count === null) break;
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(Math.min(search.size, (search.red ?? Infinity) - 1));
      expect(search.running).not.toContain(count);
      search = starting(search, count);
      runs += 1;
    }
    expect(search.running.length).toBeLessThanOrEqual(limits.width);
    if (search.running.length > 0) {
      const count = pick(search.running);
      const tree = [...landed, ...queue.slice(0, count)];
      search = { ...search, running: search.running.filter((other) => other !== count) };
      if (isRed(tree)) search = afterRed(search, count);
      else {
        if (limits.each === true) search = holding(search, count);
        const ready = limits.each === true ? greenThroughout(search) : count;
        landed.push(...queue.splice(0, ready));
        search = afterGreen(search, ready);
      }
    }
    if (hasCulprit(search)) {
      const [culprit = -1] = queue;
      expect(isRed([...landed, culprit])).toBe(true);
      evicted.push(...queue.splice(0, 1));
      search = startSearch(search.size - 1);
    }
  }
  return { landed, evicted, runs };
}

const ONE: SearchLimits = { batch: Infinity, width: 1 };

describe('the search for the longest green prefix', () => {
  const queues = fc
    .integer({ min: 0, max: 40 })
    .chain((n) => fc.tuple(fc.constant(n), fc.uniqueArray(fc.nat(Math.max(0, n - 1)))));
  const someLimits = fc.record({
    batch: fc.integer({ min: 1, max: 45 }),
    width: fc.integer({ min: 1, max: 9 }),
    each: fc.boolean(),
  });
  const anyOrder = fc.infiniteStream(fc.nat());

  it('evicts exactly the bad candidates and lands all others in queue order', () => {
    fc.assert(
      fc.property(queues, someLimits, anyOrder, ([n, bad], limits, order) => {
        const isBad: IsRed = (tree) => tree.some((item) => bad.includes(item));
        const pick = (running: readonly number[]): number =>
          running[(order.next().value as number) % running.length] ?? 0;
        const outcome = settle(n, isBad, limits, pick);
        const all = Array.from({ length: n }, (_, index) => index);
        expect(outcome.landed).toEqual(all.filter((item) => !bad.includes(item)));
        expect(outcome.evicted).toEqual(all.filter((item) => bad.includes(item)));
      }),
    );
  });

  it('never lands a red tree, whatever the verdicts depend on', () => {
    fc.assert(
      fc.property(queues, someLimits, fc.integer(), ([n], limits, seed) => {
        const isRed: IsRed = (tree) =>
          tree.length > 0 &&
          tree.reduce((sum, item) => (sum * 31 + item + 7) % 1009, seed % 97) % 3 === 0;
        const { landed, evicted } = settle(n, isRed, limits);
        expect(landed.length + evicted.length).toBe(n);
        expect(isRed(landed)).toBe(false);
      }),
    );
  });

  it('has every commit verified where each is to be, whatever the verdicts depend on', () => {
    const lines = fc.tuple(queues, fc.integer({ min: 1, max: 9 }), anyOrder, fc.nat(96));
    fc.assert(
      fc.property(lines, ([[n], width, order, seed]) => {
        const isRed: IsRed = (tree) =>
          tree.reduce((sum, item) => (sum * 31 + item + 7) % 1009, seed) % 3 === 0;
        const pick = (running: readonly number[]): number =>
          running[(order.next().value as number) % running.length] ?? 0;
        const { landed } = settle(n, isRed, { batch: 1, width, each: true }, pick);
        for (let count = 1; count <= landed.length; count += 1)
          expect(isRed(landed.slice(0, count))).toBe(false);
      }),
    );
    expect(settle(25, () => false, { batch: 25, width: 4, each: true }).runs).toBe(25);
  });

  it('verifies a green queue of any length once when one slot is all there is', () => {
    expect(settle(25, () => false, ONE).runs).toBe(1);
    expect(settle(0, () => true, ONE).runs).toBe(0);
  });

  it.each(Array.from({ length: 25 }, (_, index) => index))(
    'finds candidate %i among 25 in about 2 log2 n runs with one slot',
    (bad) => {
      const { runs } = settle(25, (tree) => tree.includes(bad), ONE);
      expect(runs).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(25)));
    },
  );

  it('looks at evenly spaced prefixes when there are several slots', () => {
    const limits = { batch: Infinity, width: 4 };
    let search = startSearch(24);
    const asked = [];
    for (let count = nextPrefix(search, limits); count !== null;) {
      asked.push(count);
      search = starting(search, count);
      count = nextPrefix(search, limits);
    }
    expect(asked).toEqual([24, 12, 6, 18]);
  });

  it('goes on below the shortest red prefix and gives up what is longer', () => {
    const limits = { batch: Infinity, width: 4 };
    let search = afterRed({ ...startSearch(24), running: [24, 6, 18] }, 12);
    expect(search).toEqual({ size: 24, red: 12, running: [6], held: [] });
    expect(nextPrefix({ ...search, running: [6, 3] }, limits)).toBe(9);
    search = afterGreen({ ...search, running: [] }, 6);
    expect(search).toEqual({ size: 18, red: 6, running: [], held: [] });
    expect(nextPrefix(search, limits)).toBe(3);
  });

  it('does not land a longer green prefix over a shorter one that is known to be red', () => {
    const search = afterRed({ ...startSearch(10), running: [10] }, 5);
    expect(search.running).toEqual([]);
    expect(nextPrefix(search, { batch: 10, width: 4 })).toBeLessThan(5);
  });

  it('keeps what it knows when candidates are put on top', () => {
    const search = extendSearch({ ...startSearch(3), running: [3] }, 2);
    expect(nextPrefix(search, { batch: 9, width: 2 })).toBe(5);
    expect(nextPrefix(search, { batch: 9, width: 1 })).toBeNull();
  });

  it('blames the later of two candidates that only fail together', () => {
    const isRed: IsRed = (tree) => tree.includes(2) && tree.includes(6);
    const { landed, evicted } = settle(9, isRed, { batch: 9, width: 3 });
    expect(evicted).toEqual([6]);
    expect(landed).toEqual([0, 1, 2, 3, 4, 5, 7, 8]);
  });
});

describe('the failure rate', () => {
  const after = (outcomes: readonly boolean[]): FailureRate => {
    const rate = new FailureRate();
    for (const guilty of outcomes) rate.note(guilty);
    return rate;
  };

  it('has batches verified whole while everything lands', () => {
    const rate = after(Array.from({ length: 60 }, () => false));
    expect(rate.limits(25, 4)).toMatchObject({ width: 1 });
    expect(rate.limits(25, 4).batch).toBeGreaterThan(25);
  });

  it('looks at parts of a batch at once when it may well be red', () => {
    expect(new FailureRate().limits(25, 4)).toEqual({ batch: 70, width: 4 });
    expect(new FailureRate().limits(12, 4).width).toBe(4);
    expect(new FailureRate().limits(11, 4).width).toBe(1);
  });

  it('makes batches smaller the more often candidates are guilty, down to one per slot', () => {
    const batches = [0, 2, 4, 8].map(
      (bad) => after(Array.from({ length: bad }, () => true)).limits(100, 2).batch,
    );
    expect([...batches].sort((a, b) => b - a)).toEqual(batches);
    expect(batches.at(-1)).toBe(2);
  });
});
