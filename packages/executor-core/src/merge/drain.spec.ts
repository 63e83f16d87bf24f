import type { QueueOutcome, QueueWorld } from '../testing/queue-simulation';
import { simulateQueue } from '../testing/queue-simulation';

/** Hundreds of queues each, on a machine that may be busy. */
jest.setTimeout(120_000);

const WORLD: QueueWorld = {
  candidates: 25,
  slots: 4,
  bad: 0,
  clash: 0,
  flake: 0,
  projects: 0,
  seed: 1,
};

async function simulate(count: number, world: Partial<QueueWorld>): Promise<QueueOutcome[]> {
  const outcomes = [];
  for (let seed = 1; seed <= count; seed += 1) {
    const drawn = {
      slots: 1 + (seed % 5),
      bad: [0, 0.05, 0.2, 0.5][seed % 4] ?? 0,
      candidates: seed % 40,
      projects: seed % 7,
    };
    outcomes.push(await simulateQueue({ ...WORLD, ...drawn, ...world, seed }));
  }
  return outcomes;
}

const mean = (outcomes: readonly QueueOutcome[], of: (one: QueueOutcome) => number): number =>
  outcomes.reduce((sum, one) => sum + of(one), 0) / outcomes.length;

describe('hundreds of queues', () => {
  it('leave the branch green at every commit, whoever breaks what, alone or together', async () => {
    const outcomes = await simulate(210, { clash: 0.02 });
    expect(outcomes.every(({ redCommits, redTips }) => redCommits + redTips === 0)).toBe(true);
    expect(outcomes.every(({ wronged }) => wronged === 0)).toBe(true);
    expect(mean(outcomes, ({ rejected }) => rejected)).toBeGreaterThan(1);
  });

  it('leave it green when candidates keep coming', async () => {
    const outcomes = await simulate(90, { atFirst: 3, clash: 0.02 });
    expect(outcomes.every(({ redCommits, redTips }) => redCommits + redTips === 0)).toBe(true);
    expect(outcomes.every(({ wronged }) => wronged === 0)).toBe(true);
  });

  it('leave every commit green where each is verified, also of halves that belong together', async () => {
    const halves = { clash: 0.02, halves: 0.2, atFirst: 9 };
    const batches = await simulate(90, halves);
    expect(batches.every(({ redTips }) => redTips === 0)).toBe(true);
    expect(mean(batches, ({ redCommits }) => redCommits)).toBeGreaterThan(0);
    const outcomes = await simulate(90, { ...halves, each: true });
    expect(outcomes.every(({ redCommits }) => redCommits === 0)).toBe(true);
    expect(mean(outcomes, ({ landed }) => landed)).toBeGreaterThan(8);
  });

  it('land all but the guilty', async () => {
    for (const world of [{}, { atFirst: 2 }, { projects: 5 }]) {
      const outcomes = await simulate(60, { candidates: 25, ...world });
      for (const { landed, rejected } of outcomes) expect(landed + rejected).toBe(25);
    }
  });
});

describe('checks that are red now and then without a reason', () => {
  it('cost a second look, and hardly ever a candidate', async () => {
    const outcomes = await simulate(200, { candidates: 25, bad: 0, flake: 0.15 });
    const wronged = mean(outcomes, (one) => one.wronged);
    expect(mean(outcomes, (one) => one.confirmations)).toBeGreaterThan(0.05);
    expect(wronged).toBeLessThan(0.1);
    expect(outcomes.every(({ redCommits }) => redCommits === 0)).toBe(true);
  });
});

describe('the work to land 25 candidates', () => {
  const first = (world: Partial<QueueWorld>): Promise<QueueOutcome> =>
    simulateQueue({ ...WORLD, ...world });

  it('is one verification where one slot is all there is and nothing is red', async () => {
    expect(await first({ slots: 1 })).toMatchObject({ runs: 1, rounds: 1, landed: 25 });
  });

  it('is about half of one by one in a seventh of the time with 5 % bad ones and 4 slots', async () => {
    const outcomes = await simulate(150, { candidates: 25, slots: 4, bad: 0.05, projects: 0 });
    expect(mean(outcomes, ({ runs, confirmations }) => runs - confirmations)).toBeLessThan(15);
    expect(mean(outcomes, ({ rounds }) => rounds)).toBeLessThan(4.5);
  });

  it('takes less time in lanes', async () => {
    const world = { candidates: 25, slots: 4, bad: 0.2 };
    const together = await simulate(100, { ...world, projects: 0 });
    const apart = await simulate(100, { ...world, projects: 12 });
    const time = ({ rounds }: QueueOutcome): number => rounds;
    expect(mean(apart, time)).toBeLessThan(mean(together, time));
  });
});
