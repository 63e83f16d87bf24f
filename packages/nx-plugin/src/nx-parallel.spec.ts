import { availableParallelism } from 'node:os';
import { parseTaskId } from '@parallel-executor/core';
import { asksForAgents, nxParallel, parallelWarning, toldParallel } from './nx-parallel';
import { samplePlan, sampleTask } from './testing/sample-plan';

describe('how many tasks Nx runs at once', () => {
  it.each<[readonly string[], Readonly<Record<string, string>>, { parallel?: number }, number]>([
    [['--parallel=7'], {}, {}, 7],
    [['--parallel', '7'], {}, {}, 7],
    [['--parallel=2', '--parallel=9'], {}, {}, 9],
    [['--parallel'], {}, {}, 3],
    [['--parallel', '--skip-nx-cache'], {}, {}, 3],
    [['--parallel', '-t', 'agent'], { NX_PARALLEL: '6' }, {}, 6],
    [['--parallel=true', '--maxParallel=5'], {}, {}, 5],
    [['--parallel', '--max-parallel', '5'], {}, {}, 5],
    [['--parallel=false'], {}, { parallel: 8 }, 1],
    [['--no-parallel'], {}, {}, 1],
    [['--parallel=0'], {}, {}, 1],
    [['--parallel=200%'], {}, {}, availableParallelism() * 2],
    [[], { NX_PARALLEL: '11' }, { parallel: 8 }, 11],
    [[], {}, { parallel: 8 }, 8],
    [[], {}, {}, 3],
    [['--', '--parallel=7'], {}, {}, 3],
    [['--parallel=many'], {}, {}, 3],
  ])('%j with %j and nx.json %j: %i', (argv, env, nxJson, expected) => {
    expect(nxParallel(argv, env, nxJson)).toBe(expected);
  });

  it('is told to the forked processes by a variable', () => {
    expect(toldParallel({ PARALLEL_NX_PARALLEL: '7' })).toBe(7);
    expect(toldParallel({})).toBeUndefined();
  });
});

it.each([
  [['nx', 'run-many', '-t', 'agent'], true],
  [['nx', 'run-many', '--targets=build,agent'], true],
  [['nx', 'run', 'api:agent-routes'], false],
  [['nx', 'run', 'api:agent'], true],
  [['nx', 'agent', 'api'], true],
  [['nx', 'build', 'agency'], false],
  [['nx', 'run-many', '-t', 'build', '-p', 'user-agent'], false],
])('%j asks for agents: %s', (argv, expected) => {
  expect(asksForAgents(argv)).toBe(expected);
});

describe('the warning about too few places', () => {
  const tasks = (n: number, phase: string | null = null) =>
    Array.from({ length: n }, (_, at) => sampleTask(`t${at}`, { phase }));

  it('names the number that is missing, and is silent when none is', () => {
    expect(parallelWarning(samplePlan(tasks(5)), 3)).toContain('Pass --parallel=5.');
    expect(parallelWarning(samplePlan(tasks(5)), 3)).not.toContain('barrier');
    expect(parallelWarning(samplePlan(tasks(3)), 3)).toBeNull();
    expect(parallelWarning(samplePlan(tasks(5)), 5)).toBeNull();
  });

  it('counts no milestones', () => {
    const milestone = { ...sampleTask('m'), id: parseTaskId('m'), profile: null };
    expect(parallelWarning(samplePlan([...tasks(3), milestone]), 3)).toBeNull();
  });

  it('tells that a wide phase waits for itself when its agents wait', () => {
    expect(parallelWarning(samplePlan(tasks(4, 'one'), ['one']), 3)).toContain(
      'a phase of 4 tasks waits for itself',
    );
  });
});
