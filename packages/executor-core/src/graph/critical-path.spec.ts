import fc from 'fast-check';
import { parseTaskId } from '../model/ids';
import type { Task } from '../model/task';
import { bottomLevels, criticalPath, workAndSpan } from './critical-path';
import { buildTaskGraph } from './task-graph';

const task = (
  id: string,
  dependsOn: readonly string[] = [],
  phase: string | null = null,
): Task => ({
  id: parseTaskId(id),
  index: 0,
  profile: null,
  prompt: null,
  project: null,
  priority: 50,
  phase,
  dependsOn: dependsOn.map(parseTaskId),
  access: { reads: [], writes: [] },
  writesDeclared: true,
  resources: [],
  team: null,
  taskType: null,
  verify: [],
  timeoutMs: 1000,
  deadlineMs: null,
  noop: 'accept',
  env: {},
  homeSlot: 1,
});

const weights = (table: Record<string, number>) => (one: Task) => table[one.id] ?? 0;

describe('the critical path', () => {
  const diamond = buildTaskGraph(
    [
      task('start'),
      task('fast', ['start']),
      task('slow', ['start']),
      task('end', ['fast', 'slow']),
    ],
    [],
  );
  const weightOf = weights({ start: 1, fast: 2, slow: 5, end: 3 });

  it('follows the longest weighted way to the end', () => {
    expect(criticalPath(diamond, weightOf)).toEqual(['start', 'slow', 'end']);
    expect(Object.fromEntries(bottomLevels(diamond, weightOf))).toEqual({
      start: 9,
      fast: 5,
      slow: 8,
      end: 3,
    });
    expect(workAndSpan(diamond, weightOf)).toEqual({ work: 11, span: 9 });
  });

  it('leads through barriers', () => {
    const graph = buildTaskGraph(
      [task('a', [], 'one'), task('b', [], 'one'), task('c', [], 'two'), task('free')],
      ['one', 'two'],
    );
    const weightsOfIt = weights({ a: 4, b: 7, c: 2, free: 8 });
    expect(criticalPath(graph, weightsOfIt)).toEqual(['b', 'c']);
    expect(bottomLevels(graph, weightsOfIt).get(parseTaskId('a'))).toBe(6);
    expect(workAndSpan(graph, weightsOfIt)).toEqual({ work: 21, span: 9 });
  });

  it('prefers the earlier task of the plan among equals', () => {
    const graph = buildTaskGraph([task('a'), task('b')], []);
    expect(criticalPath(graph, () => 1)).toEqual(['a']);
  });

  it('is empty for an empty graph', () => {
    const graph = buildTaskGraph([], []);
    expect(criticalPath(graph, () => 1)).toEqual([]);
    expect(workAndSpan(graph, () => 1)).toEqual({ work: 0, span: 0 });
  });

  it('counts weights that are no durations as zero', () => {
    expect(workAndSpan(diamond, () => Number.NaN)).toEqual({ work: 0, span: 0 });
    expect(workAndSpan(diamond, () => -3)).toEqual({ work: 0, span: 0 });
  });

  it('weighs exactly the span, and no path weighs more', () => {
    const rows = fc.array(fc.tuple(fc.array(fc.nat(8), { maxLength: 3 }), fc.nat(9)), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(rows, (given) => {
        const tasks = given.map(([before], at) =>
          task(
            `t${at}`,
            [...new Set(before.filter((n) => n < at))].map((n) => `t${n}`),
          ),
        );
        const weightOfIt = (one: Task): number => given[Number(one.id.slice(1))]?.[1] ?? 0;
        const graph = buildTaskGraph(tasks, []);
        const longestFrom = (at: number): number =>
          (given[at]?.[1] ?? 0) +
          Math.max(
            0,
            ...graph
              .dependants(parseTaskId(`t${at}`))
              .map((id) => longestFrom(Number(id.slice(1)))),
          );
        const span = Math.max(...given.map((_, at) => longestFrom(at)));
        expect(workAndSpan(graph, weightOfIt).span).toBe(span);
        const path = criticalPath(graph, weightOfIt).map(
          (id) => given[Number(id.slice(1))]?.[1] ?? 0,
        );
        expect(path.reduce((sum, weight) => sum + weight, 0)).toBe(span);
      }),
    );
  });
});
