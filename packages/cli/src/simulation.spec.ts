import { planOf } from '@parallel-executor/core/testing';
import { simulate } from './simulation';
import { main } from './main';
import { FakeWorld, fakeWorkspace, loaded, NO_HISTORY } from './testing/fake-world';

const cli = (world: FakeWorld, ...words: readonly string[]): Promise<number> =>
  main(['node', 'parallel-cli', ...words], world);

const eight = planOf(Object.fromEntries('abcdefgh'.split('').map((id) => [id, {}])));

describe('a simulation', () => {
  it('plays the plan with each number of agents', () => {
    const { runs, unit, work, span } = simulate(eight, NO_HISTORY, [1, 4, 3, 4]);
    expect([unit, work, span]).toEqual(['tasks', 8, 1]);
    expect(runs.map((run) => [run.agents, run.makespan, run.speedup, run.utilisation])).toEqual([
      [1, 8, 1, 1],
      [3, 3, 2.67, 0.89],
      [4, 2, 4, 1],
    ]);
  });

  it('names the fewest agents that are as good as the best, asked for or not', () => {
    expect(simulate(eight, NO_HISTORY, [1, 25]).best).toMatchObject({ agents: 8, makespan: 1 });
    const chain = planOf({ a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } });
    expect(simulate(chain, NO_HISTORY, [1, 5, 10, 25]).best).toMatchObject({ agents: 1 });
    expect(simulate(planOf({}), NO_HISTORY, [1]).best).toMatchObject({ agents: 1, makespan: 0 });
  });
});

describe('parallel-cli simulate', () => {
  const world = () =>
    new FakeWorld(fakeWorkspace({ loadPlan: () => Promise.resolve(loaded(eight)) }));

  it('prints a line for each number of agents, the path and the best', async () => {
    const one = world();
    expect(await cli(one, 'simulate', '--agents', '1,5')).toBe(0);
    expect(one.stdout.text).toContain('durations unknown: counted in tasks');
    expect(one.stdout.text).toMatch(/\n +1 +8 tasks +1\.00x +100% +1 +1\.000\n/);
    expect(one.stdout.text).toMatch(/\n +5 +2 tasks +4\.00x +80% +5 +1\.250\n/);
    expect(one.stdout.text).toContain('Critical path: a');
    expect(one.stdout.text).toContain('Best: 4 agents (2 tasks, 4x)');
  });

  it('prints one object with --json', async () => {
    const one = world();
    expect(await cli(one, 'simulate', '--json')).toBe(0);
    expect(JSON.parse(one.stdout.text)).toMatchObject({
      schemaVersion: 1,
      durations: 'unknown',
      runs: [{ agents: 1 }, { agents: 5 }, { agents: 10 }, { agents: 25 }],
      best: { agents: 8 },
    });
  });

  it.each(['0', '1,x', '', '201', '1,,2'])('refuses --agents %j', async (list) => {
    const one = world();
    expect(await cli(one, 'simulate', '--agents', list)).toBe(2);
    expect(one.stderr.text).toContain('whole number');
  });
});
