import * as fc from 'fast-check';
import { afterEviction, afterVerdict, nextStep, startBisection } from './bisect';

interface Outcome {
  readonly landed: readonly number[];
  readonly evicted: readonly number[];
  readonly runs: number;
}

/** Drives the stepper over candidates 0..n-1; `isRed` judges the set that would be in the tree. */
function settle(n: number, isRed: (tree: readonly number[]) => boolean): Outcome {
  let state = startBisection(n);
  let queue = Array.from({ length: n }, (_, index) => index);
  const landed: number[] = [];
  const evicted: number[] = [];
  const verdicts = new Map<string, boolean>();
  let runs = 0;
  for (;;) {
    const step = nextStep(state);
    if (step.kind === 'done') return { landed, evicted, runs };
    if (step.kind === 'evict') {
      const [culprit = -1, ...rest] = queue;
      expect(verdicts.get([...landed, culprit].join())).toBe(true);
      evicted.push(culprit);
      queue = rest;
      state = afterEviction(state);
      continue;
    }
    expect(step.count).toBeGreaterThanOrEqual(1);
    expect(step.count).toBeLessThanOrEqual(queue.length);
    const tree = [...landed, ...queue.slice(0, step.count)];
    expect(verdicts.has(tree.join())).toBe(false);
    const red = isRed(tree);
    verdicts.set(tree.join(), red);
    runs += 1;
    state = afterVerdict(state, step.count, !red);
    if (!red) landed.push(...queue.splice(0, step.count));
  }
}

describe('bisection', () => {
  const queue = fc
    .integer({ min: 0, max: 40 })
    .chain((n) => fc.tuple(fc.constant(n), fc.uniqueArray(fc.nat(Math.max(0, n - 1)))));

  it('evicts exactly the bad candidates and lands all others in queue order', () => {
    fc.assert(
      fc.property(queue, ([n, bad]) => {
        const outcome = settle(n, (tree) => tree.some((item) => bad.includes(item)));
        const all = Array.from({ length: n }, (_, index) => index);
        expect(outcome.landed).toEqual(all.filter((item) => !bad.includes(item)));
        expect(outcome.evicted).toEqual(all.filter((item) => bad.includes(item)));
      }),
    );
  });

  it('never lands a red tree, whatever the verdicts depend on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 25 }), fc.integer(), (n, seed) => {
        const isRed = (tree: readonly number[]): boolean =>
          tree.length > 0 &&
          tree.reduce((sum, item) => (sum * 31 + item + 7) % 1009, seed % 97) % 3 === 0;
        const { landed, evicted } = settle(n, isRed);
        expect(landed.length + evicted.length).toBe(n);
        expect(isRed(landed)).toBe(false);
      }),
    );
  });

  it('verifies a green queue of any length once', () => {
    expect(settle(25, () => false).runs).toBe(1);
    expect(settle(0, () => true).runs).toBe(0);
  });

  it('takes one run for a single red candidate', () => {
    expect(settle(1, () => true)).toEqual({ landed: [], evicted: [0], runs: 1 });
  });

  it.each(Array.from({ length: 25 }, (_, index) => index))(
    'finds candidate %i among 25 in about 2 log2 n runs',
    (bad) => {
      const { runs } = settle(25, (tree) => tree.includes(bad));
      expect(runs).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(25)));
    },
  );

  it('blames the later of two candidates that only fail together', () => {
    const { landed, evicted } = settle(9, (tree) => tree.includes(2) && tree.includes(6));
    expect(evicted).toEqual([6]);
    expect(landed).toEqual([0, 1, 2, 3, 4, 5, 7, 8]);
  });
});
