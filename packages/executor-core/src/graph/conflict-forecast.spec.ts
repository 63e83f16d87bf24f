import fc from 'fast-check';
import { parse } from 'yaml';
import type { ConflictPolicy } from '../model/task';
import { planOf } from '../testing/plan';
import type { TaskDraft } from '../testing/plan';
import { conflictForecast, type ForecastEvidence } from './conflict-forecast';
import { orderedBefore } from './conflict-edges';
import { findCycles } from './cycles';
import { buildTaskGraph } from './task-graph';

const NOTHING: ForecastEvidence = { commits: [], projects: null };
const A = { id: 'a', writes: ['a/**'] };
const B = { id: 'b', writes: ['b/**'] };
const together = (times: number, ...paths: readonly string[]) =>
  Array.from({ length: times }, () => paths);

function foretell(
  tasks: readonly TaskDraft[],
  evidence: Partial<ForecastEvidence> = {},
  policy: ConflictPolicy = 'auto_merge',
) {
  const plan = planOf({ tasks });
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  return conflictForecast(graph, { ...NOTHING, ...evidence }, policy, () => 1);
}

describe('the conflict forecast', () => {
  it('names the globs that two tasks both write, and offers to order them', () => {
    const pairs = foretell([
      { id: 'api', writes: ['src/**'] },
      { id: 'web', writes: ['src/x.ts'], priority: 80 },
      { id: 'docs' },
    ]);
    expect(pairs).toEqual([
      {
        tasks: ['api', 'web'],
        score: 0.9,
        reasons: [{ kind: 'writes', detail: 'both write src/** and src/x.ts' }],
        offer: {
          kind: 'depends_on',
          task: 'api',
          on: 'web',
          yaml: 'tasks:\n  api:\n    depends_on: [web]',
        },
      },
    ]);
  });

  it('sees that one reads what the other writes', () => {
    const [pair] = foretell([
      { id: 'a', writes: ['lib/a.ts'] },
      { ...B, reads: ['lib/**'] },
    ]);
    expect(pair?.reasons).toEqual([{ kind: 'reads', detail: 'b reads lib/**, which a writes' }]);
  });

  it('offers nothing where the locks keep the two apart already', () => {
    const overlapping = [
      { id: 'a', writes: ['x'] },
      { id: 'b', writes: ['x'] },
    ];
    expect(foretell(overlapping, {}, 'wait')[0]?.offer.kind).toBe('none');
    const db = { resources: [{ id: 'db', exclusive: true }] };
    const held = overlapping.map((task) => ({ ...task, ...db }));
    expect(foretell(held)[0]?.offer).toMatchObject({ kind: 'none' });
  });

  it('learns from history which files change together, and offers a lock', () => {
    const commits = [
      ...together(4, 'a/one.ts', 'b/two.ts'),
      ...together(6, 'a/one.ts'),
      ...together(1, 'b/two.ts'),
    ];
    const [pair] = foretell([A, B], { commits }, 'wait');
    expect(pair).toMatchObject({
      score: 0.8,
      reasons: [{ kind: 'history', detail: 'files of both changed in 4 of 5 commits' }],
    });
    expect(pair?.offer).toEqual({
      kind: 'lock',
      task: 'b',
      yaml: 'locks:\n  read:\n    - b: ["a/**"]',
    });
  });

  it('takes two common commits for chance, and a commit of everything for nothing', () => {
    const everything = Array.from({ length: 40 }, (_, at) => `${at % 2 === 0 ? 'a' : 'b'}/${at}`);
    const commits = [...together(2, 'a/1', 'b/1'), ...together(9, ...everything)];
    expect(foretell([A, B], { commits })).toEqual([]);
  });

  it('knows which project is built from which, by name and by what is written', () => {
    const projects = [
      { name: 'schema', root: 'libs/schema', dependsOn: [] },
      { name: 'web', root: 'apps/web', dependsOn: ['schema', 'npm:react'] },
    ];
    const tasks = [
      { id: 'one', project: 'web', writes: ['one/**'] },
      { id: 'two', writes: ['libs/schema/src/**'] },
      { id: 'three', writes: ['libs/**'] },
    ];
    const pairs = foretell(tasks, { projects });
    const [first, second] = pairs;
    expect(first?.tasks).toEqual(['two', 'three']);
    expect(second).toMatchObject({
      tasks: ['one', 'two'],
      score: 0.3,
      reasons: [{ kind: 'projects', detail: 'project web is built from project schema' }],
    });
    expect(pairs).toHaveLength(2);
  });

  it('weighs several reasons together, and leaves out what declares nothing', () => {
    const commits = together(4, 'x');
    const tasks = [
      { id: 'a', writes: ['x'] },
      { id: 'b', writes: ['x'] },
      { id: 'c', writes: ['**'], writesDeclared: false },
    ];
    expect(foretell(tasks, { commits }).map(({ tasks: pair, score }) => [...pair, score])).toEqual([
      ['a', 'b', 1],
    ]);
  });

  it('says nothing of tasks that depend on each other or have a barrier between them', () => {
    const same = { writes: ['x'] };
    expect(
      foretell([
        { id: 'a', ...same },
        { id: 'b', dependsOn: ['a'], writes: ['y'] },
        { id: 'c', dependsOn: ['b'], ...same },
      ]),
    ).toEqual([]);
    const plan = planOf({
      tasks: [
        { id: 'a', phase: 'p', ...same },
        { id: 'b', phase: 'q', ...same },
      ],
      phases: ['p', 'q'],
    });
    const graph = buildTaskGraph(plan.tasks, plan.phases);
    expect(conflictForecast(graph, NOTHING, 'manual', () => 1)).toEqual([]);
  });

  it('writes an id that YAML would take for something else so that it stays one', () => {
    const pair = { writes: ['x'] };
    const [found] = foretell([
      { id: 'on', ...pair },
      { id: 'null', ...pair },
    ]);
    const yaml = found?.offer.kind === 'depends_on' ? found.offer.yaml : '';
    expect(parse(yaml)).toEqual({ tasks: { null: { depends_on: ['on'] } } });
    expect(yaml).toContain('"null"');
  });
});

describe('the conflict forecast of any plan', () => {
  const FOLDERS = ['a', 'b', 'c', 'd'];
  const drafts = fc
    .array(
      fc.record({
        writes: fc.subarray(FOLDERS, { minLength: 1 }),
        reads: fc.subarray(FOLDERS),
        priority: fc.constantFrom(10, 50, 90),
        before: fc.array(fc.nat(6), { maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 7 },
    )
    .map((raw) =>
      raw.map(({ before, ...task }, at): TaskDraft => ({
        ...task,
        id: `t${at}`,
        dependsOn: [...new Set(before.filter((other) => other < at))].map((other) => `t${other}`),
      })),
    );
  const commits = fc.array(fc.subarray(FOLDERS.map((name) => `${name}/x`)), { maxLength: 12 });
  const projects = FOLDERS.map((root, at) => ({
    name: root,
    root,
    dependsOn: FOLDERS.slice(0, at),
  }));

  it('has each open pair once, no task with itself, and nothing that is ordered', () => {
    fc.assert(
      fc.property(drafts, commits, (tasks, history) => {
        const plan = planOf({ tasks });
        const graph = buildTaskGraph(plan.tasks, plan.phases);
        const before = orderedBefore(graph.nodes);
        const pairs = foretell(tasks, { commits: history, projects });
        const keys = pairs.map(({ tasks: pair }) => pair.map(graph.indexOf));
        for (const [a = -1, b = -1] of keys) {
          expect(a).toBeLessThan(b);
          expect(before(a, b) || before(b, a)).toBe(false);
        }
        expect(new Set(keys.map(String)).size).toBe(keys.length);
        for (const { score } of pairs) expect(score > 0 && score <= 1).toBe(true);
        expect(foretell(tasks, { commits: history, projects })).toEqual(pairs);
      }),
      { numRuns: 200 },
    );
  });

  it('says the same of two tasks whichever comes first in the plan', () => {
    const pair = fc.tuple(fc.subarray(FOLDERS, { minLength: 1 }), fc.subarray(FOLDERS));
    fc.assert(
      fc.property(pair, pair, commits, (one, other, history) => {
        const tasks = [one, other].map(([writes, reads], at) => ({ id: `t${at}`, writes, reads }));
        const told = (list: readonly TaskDraft[]) =>
          foretell(list, { commits: history, projects }).map(({ score, reasons }) => ({
            score,
            kinds: reasons.map(({ kind }) => kind).sort(),
          }));
        expect(told([...tasks].reverse())).toEqual(told(tasks));
      }),
      { numRuns: 200 },
    );
  });

  it('offers edges that all together make no cycle', () => {
    fc.assert(
      fc.property(drafts, (tasks) => {
        const edges = new Map(tasks.map(({ id, dependsOn = [] }) => [id, [...dependsOn]]));
        for (const { offer } of foretell(tasks)) {
          if (offer.kind === 'depends_on') edges.get(offer.task)?.push(offer.on);
        }
        expect(findCycles(edges)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
