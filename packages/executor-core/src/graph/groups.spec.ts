import fc from 'fast-check';
import { UserError } from '../model/user-error';
import {
  checkResourceCompatibility,
  estimateSpeedup,
  findIndependentSets,
  findParallelizableTasks,
} from './groups';

const ids = (groups: readonly (readonly { readonly id: string }[])[]) =>
  groups.map((group) => group.map((task) => task.id));

describe('checkResourceCompatibility', () => {
  const needs = (id: string, exclusive?: boolean) => ({
    id: `t${Math.random()}`,
    required_resources: [{ id, exclusive }],
  });

  it('refuses two exclusive requests for the same resource', () => {
    expect(checkResourceCompatibility([needs('db', true), needs('db', true)])).toBe(false);
  });

  it('lets shared requests and different resources pass', () => {
    expect(checkResourceCompatibility([needs('db', true), needs('db', false)])).toBe(true);
    expect(checkResourceCompatibility([needs('db'), needs('db')])).toBe(true);
    expect(checkResourceCompatibility([needs('db', true), needs('gpu', true)])).toBe(true);
    expect(checkResourceCompatibility([{ id: 'a' }])).toBe(true);
    expect(checkResourceCompatibility([])).toBe(true);
  });

  it('refuses one task that asks for the same exclusive resource twice', () => {
    const twice = [
      { id: 'db', exclusive: true },
      { id: 'db', exclusive: true },
    ];
    expect(checkResourceCompatibility([{ id: 'a', required_resources: twice }])).toBe(false);
  });
});

describe('findIndependentSets', () => {
  it('levels tasks by their dependencies in either spelling and ignores those outside the list', () => {
    const tasks = [
      { id: 'c', dependsOn: ['b'] },
      { id: 'a' },
      { id: 'b', depends_on: ['a', 'elsewhere'] },
      { id: 'd' },
    ];
    expect(ids(findIndependentSets(tasks))).toEqual([['a', 'd'], ['b'], ['c']]);
  });

  it('refuses cycles and repeated ids', () => {
    const cycle = [
      { id: 'a', depends_on: ['b'] },
      { id: 'b', depends_on: ['a'] },
    ];
    expect(() => findIndependentSets(cycle)).toThrow('a → b → a');
    expect(() => findIndependentSets([{ id: 'a' }, { id: 'a' }])).toThrow(UserError);
  });
});

describe('findParallelizableTasks', () => {
  it('groups independent tasks and estimates the gain', () => {
    const groups = findParallelizableTasks([
      { id: 'a', duration_ms: 1800 },
      { id: 'b', duration_ms: 2700 },
      { id: 'c', depends_on: ['a'], duration_ms: 100 },
    ]);
    expect(groups).toEqual([
      {
        tasks: [expect.objectContaining({ id: 'a' }), expect.objectContaining({ id: 'b' })],
        can_parallel: true,
        estimated_speedup: 1.67,
      },
      { tasks: [expect.objectContaining({ id: 'c' })], can_parallel: true, estimated_speedup: 1 },
    ]);
  });

  it('never puts two tasks that want one exclusive resource into a group, and loses neither', () => {
    const db = [{ id: 'db', exclusive: true }];
    const groups = findParallelizableTasks([
      { id: 'a', required_resources: db },
      { id: 'b', required_resources: db },
      { id: 'c' },
    ]);
    expect(ids(groups.map((group) => group.tasks))).toEqual([['a', 'c'], ['b']]);
  });

  it('keeps overlapping writers apart unless told that they may overlap', () => {
    const tasks = [
      { id: 'a', access: { reads: [], writes: ['src/**'] } },
      { id: 'b', access: { reads: ['src/x'], writes: [] } },
      { id: 'c', writes: ['**'] },
      { id: 'd', writes: ['docs'] },
    ];
    const grouped = ids(findParallelizableTasks(tasks).map((group) => group.tasks));
    expect(grouped).toEqual([['a', 'd'], ['b'], ['c']]);
    expect(findParallelizableTasks(tasks, { ignoreAccess: true })).toHaveLength(1);
  });

  it('puts every task into exactly one group whose members are compatible', () => {
    const row = fc.record({
      before: fc.array(fc.nat(10), { maxLength: 3 }),
      resource: fc.constantFrom('db', 'gpu', 'none'),
      exclusive: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 11 }), (rows) => {
        const tasks = rows.map(({ before, resource, exclusive }, at) => ({
          id: `t${at}`,
          depends_on: before.filter((n) => n < at).map((n) => `t${n}`),
          required_resources: [{ id: resource, exclusive }],
        }));
        const groups = findParallelizableTasks(tasks);
        expect(groups.flatMap((group) => group.tasks.map((task) => task.id)).sort()).toEqual(
          tasks.map((task) => task.id).sort(),
        );
        for (const group of groups) {
          expect(checkResourceCompatibility(group.tasks)).toBe(true);
          const members = new Set(group.tasks.map((task) => task.id));
          for (const task of group.tasks) {
            expect(task.depends_on.some((id) => members.has(id))).toBe(false);
          }
        }
      }),
    );
  });
});

describe('estimateSpeedup', () => {
  const five = Array.from({ length: 5 }, (_, n) => ({ id: `t${n}`, duration_ms: 10 }));

  it('is the number of equal tasks when there are agents for all, and rounds of them otherwise', () => {
    expect(estimateSpeedup(five, 25)).toBe(5);
    expect(estimateSpeedup(five, 2)).toBeCloseTo(5 / 3);
    expect(estimateSpeedup(five, 1)).toBe(1);
  });

  it('cannot beat a chain', () => {
    const chain = five.map((task, n) => ({ ...task, depends_on: n > 0 ? [`t${n - 1}`] : [] }));
    expect(estimateSpeedup(chain, 25)).toBe(1);
  });

  it('starts the longest chain first', () => {
    const tasks = [
      { id: 'short1', duration_ms: 1 },
      { id: 'short2', duration_ms: 1 },
      { id: 'long', duration_ms: 2 },
    ];
    expect(estimateSpeedup(tasks, 2)).toBe(2);
  });

  it('takes the mean for unknown durations, and 1 for nothing to do', () => {
    expect(estimateSpeedup([{ id: 'a', duration_ms: 10 }, { id: 'b' }], 2)).toBe(2);
    expect(estimateSpeedup([], 3)).toBe(1);
    expect(estimateSpeedup([{ id: 'a', duration_ms: 0 }], 3)).toBe(1);
    expect(() => estimateSpeedup([], 0)).toThrow(RangeError);
  });

  it('stays within what work and span allow', () => {
    const row = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(12), { maxLength: 2 }));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 13 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, agents) => {
          const tasks = rows.map(([duration_ms, before], at) => ({
            id: `t${at}`,
            duration_ms,
            depends_on: before.filter((n) => n < at).map((n) => `t${n}`),
          }));
          const work = rows.reduce((sum, [duration]) => sum + duration, 0);
          const end = (at: number): number =>
            (rows[at]?.[0] ?? 0) +
            Math.max(0, ...(rows[at]?.[1] ?? []).filter((n) => n < at).map(end));
          const span = Math.max(...rows.map((_, at) => end(at)));
          const speedup = estimateSpeedup(tasks, agents);
          expect(speedup).toBeLessThanOrEqual(Math.min(agents, work / span) + 1e-9);
          expect(speedup).toBeGreaterThanOrEqual(work / (work / agents + span) - 1e-9);
        },
      ),
    );
  });
});
