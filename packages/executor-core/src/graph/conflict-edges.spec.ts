import fc from 'fast-check';
import type { Resource } from '../model/access';
import { parseTaskId } from '../model/ids';
import type { Task } from '../model/task';
import { conflictEdges } from './conflict-edges';
import { conflictReason } from './conflict-pairs';
import { buildTaskGraph } from './task-graph';

interface Given {
  readonly after?: readonly string[];
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly phase?: string;
  readonly resources?: readonly Resource[];
}

const task = (id: string, given: Given): Task => ({
  id: parseTaskId(id),
  index: 0,
  profile: 'p',
  prompt: null,
  project: null,
  priority: 50,
  phase: given.phase ?? null,
  dependsOn: (given.after ?? []).map(parseTaskId),
  access: { reads: given.reads ?? [], writes: given.writes ?? [] },
  writesDeclared: true,
  resources: given.resources ?? [],
  team: null,
  taskType: null,
  verify: [],
  timeoutMs: 1000,
  deadlineMs: null,
  noop: 'accept',
  env: {},
  homeSlot: 1,
});

const edgesOf = (tasks: Record<string, Given>, phases: readonly string[] = []) =>
  conflictEdges(
    buildTaskGraph(
      Object.entries(tasks).map(([id, given]) => task(id, given)),
      phases,
    ),
  );

describe('conflictEdges', () => {
  it('names the two tasks and the reason', () => {
    expect(
      edgesOf({
        a: { writes: ['src/**'] },
        b: { writes: ['src/b.ts'] },
        c: { reads: ['src/b.ts'], writes: ['docs/**'] },
      }),
    ).toEqual([
      { a: 'a', b: 'b', why: 'write/write' },
      { a: 'a', b: 'c', why: 'read/write' },
      { a: 'b', b: 'c', why: 'read/write' },
    ]);
  });

  it('leaves out tasks that a chain of dependencies orders', () => {
    const writes = ['same.txt'];
    expect(edgesOf({ a: { writes }, b: { after: ['a'] }, c: { writes, after: ['b'] } })).toEqual(
      [],
    );
  });

  it('leaves out tasks that a barrier orders', () => {
    const writes = ['same.txt'];
    const phases = ['one', 'two'];
    expect(edgesOf({ a: { writes, phase: 'one' }, b: { writes, phase: 'two' } }, phases)).toEqual(
      [],
    );
    expect(
      edgesOf({ a: { writes, phase: 'one' }, b: { writes, phase: 'one' } }, phases),
    ).toHaveLength(1);
  });

  it('sees a resource that one of two wants for itself, and no conflict where both share', () => {
    const db = (exclusive: boolean) => ({ resources: [{ id: 'db', exclusive }] });
    expect(edgesOf({ a: db(true), b: db(true) })).toEqual([{ a: 'a', b: 'b', why: 'resource' }]);
    expect(edgesOf({ a: db(false), b: db(true) })).toHaveLength(1);
    expect(edgesOf({ a: db(false), b: db(false) })).toEqual([]);
  });

  it('stops at the limit', () => {
    const tasks = Array.from({ length: 2000 }, (_, n) => task(`t${n}`, { writes: ['**'] }));
    expect(conflictEdges(buildTaskGraph(tasks, []), 10)).toHaveLength(10);
    expect(conflictEdges(buildTaskGraph(tasks, []), 0)).toEqual([]);
  });

  it('finds nothing among a thousand tasks that keep to their folders', () => {
    const tasks = Array.from({ length: 1000 }, (_, n) =>
      task(`t${n}`, { reads: ['libs/schema/**'], writes: [`apps/app-${n}/**`] }),
    );
    expect(conflictEdges(buildTaskGraph(tasks, []))).toEqual([]);
  });

  it('finds what comparing every pair finds', () => {
    const glob = fc.constantFrom(
      '**',
      'a',
      'a/b',
      'a/b/**',
      'a/*',
      'a/b/c',
      '*/b',
      'c',
      '{a,c}/x',
      '+(a)',
      '!a/b',
    );
    const given = fc.record({
      reads: fc.array(glob, { maxLength: 2 }),
      writes: fc.array(glob, { maxLength: 2 }),
      resources: fc.array(
        fc.record({ id: fc.constantFrom('db', 'gpu'), exclusive: fc.boolean() }),
        { maxLength: 1 },
      ),
    });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 8 }), (rows) => {
        const tasks = rows.map((row, n) => task(`t${n}`, row));
        const expected = tasks.flatMap((a, at) =>
          tasks.slice(at + 1).flatMap((b) => {
            const why = conflictReason(a, b);
            return why === null ? [] : [{ a: a.id, b: b.id, why }];
          }),
        );
        expect(conflictEdges(buildTaskGraph(tasks, []))).toEqual(expected);
      }),
    );
  });
});
