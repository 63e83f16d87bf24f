import { CORE } from '../testing/simulation/core';
import { simulate } from '../testing/simulation/simulate';

/** `PE_SEEDS=1000000` for a long run, `PE_SEED=1234` for one seed alone. */
const SEEDS = Number(process.env.PE_SEEDS ?? 10_000);
const FIRST = Number(process.env.PE_SEED ?? 1);

describe('any run of any plan, whatever happens around it', () => {
  it('keeps every rule and comes to its end', () => {
    const ends: Record<string, number> = {};
    let steps = 0;
    const last = process.env.PE_SEED === undefined ? FIRST + SEEDS : FIRST + 1;
    for (let seed = FIRST; seed < last; seed += 1) {
      const run = simulate(seed, CORE);
      steps += run.steps;
      for (const [name, count] of Object.entries(run.ends)) ends[name] = (ends[name] ?? 0) + count;
    }
    expect(steps).toBeGreaterThan(0);
    if (last - FIRST < 1000) return;
    // The runs are of use only while all of this happens in them.
    for (const name of ['landed', 'failed', 'blocked', 'conflicted', 'cancelled', 'pending']) {
      expect({ [name]: (ends[name] ?? 0) > SEEDS / 100 }).toEqual({ [name]: true });
    }
  }, 300_000);

  it('is the same run for the same seed, and another for another', () => {
    for (const seed of [7, 77, 777]) {
      const run = simulate(seed, CORE);
      expect(simulate(seed, CORE)).toEqual(run);
      expect(simulate(seed + 1, CORE).journal).not.toEqual(run.journal);
    }
  });
});
