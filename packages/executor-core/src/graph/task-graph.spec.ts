import fc from 'fast-check';
import { parseTaskId } from '../model/ids';
import type { Task } from '../model/task';
import { UserError } from '../model/user-error';
import { buildTaskGraph } from './task-graph';

const task = (
  id: string,
  dependsOn: readonly string[] = [],
  phase: string | null = null,
): Task => ({
  id: parseTaskId(id),
  index: 0,
  profile: 'p',
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

describe('buildTaskGraph', () => {
  it('answers who depends on whom, both ways', () => {
    const graph = buildTaskGraph([task('a'), task('b', ['a']), task('c', ['a', 'b'])], []);
    expect(graph.ids).toEqual(['a', 'b', 'c']);
    expect(graph.dependencies(parseTaskId('c'))).toEqual(['a', 'b']);
    expect(graph.dependants(parseTaskId('a'))).toEqual(['b', 'c']);
    expect(graph.levels).toEqual([['a'], ['b'], ['c']]);
    expect(graph.phaseIndex(parseTaskId('a'))).toBe(-1);
  });

  it('levels the graph of the sample', () => {
    const graph = buildTaskGraph(
      [
        task('landing_page'),
        task('auth_system'),
        task('database_schema'),
        task('dashboard'),
        task('api_routes', ['database_schema']),
        task('stripe_integration', ['auth_system']),
        task('wire_components', ['landing_page', 'dashboard', 'api_routes']),
        task('final_tests', ['wire_components', 'stripe_integration']),
      ],
      [],
    );
    expect(graph.levels).toEqual([
      ['landing_page', 'auth_system', 'database_schema', 'dashboard'],
      ['api_routes', 'stripe_integration'],
      ['wire_components'],
      ['final_tests'],
    ]);
  });

  it('holds a phase back until every earlier phase is done, also over an empty phase', () => {
    const graph = buildTaskGraph(
      [task('late', [], 'three'), task('x', [], 'one'), task('y', ['x'], 'one'), task('free')],
      ['one', 'two', 'three'],
    );
    expect(graph.levels).toEqual([['x', 'free'], ['y'], ['late']]);
    expect(graph.phaseIndex(parseTaskId('late'))).toBe(2);
    expect(graph.phaseMembers('one')).toEqual(['x', 'y']);
    expect(graph.phaseMembers('two')).toEqual([]);
    expect(graph.phaseMembers('nowhere')).toEqual([]);
  });

  it('keeps a barrier between many tasks small', () => {
    const many = (phase: string) =>
      Array.from({ length: 5000 }, (_, n) => task(`${phase}-${n}`, [], phase));
    const graph = buildTaskGraph([...many('one'), ...many('two')], ['one', 'two']);
    const edges = graph.nodes.successors.reduce((sum, next) => sum + next.length, 0);
    expect(edges).toBe(10_000);
    expect(graph.levels.map((level) => level.length)).toEqual([5000, 5000]);
  });

  it('refuses a cycle with its path', () => {
    expect(() => buildTaskGraph([task('a', ['b']), task('b', ['a'])], [])).toThrow('a → b → a');
    expect(() => buildTaskGraph([task('a', ['a'])], [])).toThrow('a → a');
  });

  it('refuses a cycle that closes through a barrier', () => {
    const tasks = [task('a', ['free'], 'one'), task('free', ['b']), task('b', [], 'two')];
    expect(() => buildTaskGraph(tasks, ['one', 'two'])).toThrow(
      'a → free → b → end of phase one → a',
    );
  });

  it('refuses repeated ids, unknown dependencies and unknown phases as user errors', () => {
    expect(() => buildTaskGraph([task('a'), task('a')], [])).toThrow(UserError);
    expect(() => buildTaskGraph([task('a', ['b'])], [])).toThrow('depends on b');
    expect(() => buildTaskGraph([task('a', [], 'p')], [])).toThrow('phase p');
  });

  it('throws for an id it does not know', () => {
    const graph = buildTaskGraph([task('a')], []);
    expect(() => graph.task(parseTaskId('b'))).toThrow(RangeError);
    expect(() => graph.indexOf(parseTaskId('b'))).toThrow(RangeError);
  });

  it('places every task in one level, above all it waits for', () => {
    const plan = fc.array(
      fc.record({ before: fc.array(fc.nat(30), { maxLength: 4 }), phase: fc.nat(3) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(plan, (rows) => {
        const phases = ['p0', 'p1', 'p2'];
        const phaseOf = rows.map((row) => (row.phase === 3 ? -1 : row.phase));
        const tasks = rows.map((row, at) => {
          const sameOrEarlier = (other: number): boolean =>
            other < at &&
            (phaseOf[other] ?? 9) >= 0 &&
            (phaseOf[at] ?? -1) >= (phaseOf[other] ?? 9);
          const before = [...new Set(row.before.filter(sameOrEarlier))].map((n) => `t${n}`);
          return task(`t${at}`, before, phases[phaseOf[at] ?? -1] ?? null);
        });
        const graph = buildTaskGraph(tasks, phases);
        const level = new Map(graph.levels.flatMap((ids, n) => ids.map((id) => [id, n] as const)));
        expect(level.size).toBe(tasks.length);
        for (const one of tasks) {
          for (const id of one.dependsOn)
            expect(level.get(one.id)).toBeGreaterThan(level.get(id) ?? 0);
          for (const other of tasks) {
            const [early, late] = [graph.phaseIndex(other.id), graph.phaseIndex(one.id)];
            if (early >= 0 && early < late) {
              expect(level.get(one.id)).toBeGreaterThan(level.get(other.id) ?? 0);
            }
          }
        }
      }),
    );
  });
});
