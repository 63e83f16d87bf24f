import fc from 'fast-check';
import type { Plan, Task } from '../model/task';
import { bottomLevels } from '../graph/critical-path';
import { accessConflict } from '../graph/path-overlap';
import { buildTaskGraph } from '../graph/task-graph';
import { planOf } from '../testing/run-fixture';
import { predictRun, withAgents, type Prediction } from './predict';

const unit = (task: Task): number => (task.profile === null ? 0 : 1);
const makespan = (plan: Plan): number => predictRun(plan, unit).makespan;

describe('a predicted run', () => {
  it('waits for agents, dependencies, barriers and conflicts', () => {
    const free = planOf({ a: {}, b: {}, c: {}, d: {} });
    expect(makespan(withAgents(free, 4))).toBe(1);
    expect(makespan(withAgents(free, 3))).toBe(2);
    expect(makespan(planOf({ a: {}, b: { dependsOn: ['a'] } }))).toBe(2);
    expect(makespan(planOf({ a: { phase: 'x' }, b: { phase: 'y' }, c: {} }, {}, ['x', 'y']))).toBe(
      2,
    );
    expect(makespan(planOf({ a: { writes: ['src/**'] }, b: { writes: ['src/x'] } }))).toBe(2);
    expect(makespan(planOf({}))).toBe(0);
  });

  it('lets overlapping writers run at once where a policy settles their conflicts', () => {
    const same = { writes: ['src/**'] };
    expect(makespan(planOf({ a: same, b: same }, { conflictPolicy: 'auto_merge' }))).toBe(1);
    const db = { resources: [{ id: 'db', exclusive: true }] };
    expect(makespan(planOf({ a: db, b: db }, { conflictPolicy: 'auto_merge' }))).toBe(2);
  });

  it('keeps the limits per team', () => {
    const limits = { team: { dev: 2 }, taskType: {} };
    const dev = { team: 'dev' };
    expect(makespan(planOf({ a: dev, b: dev, c: dev, d: {} }, { limits }))).toBe(2);
  });

  it('passes milestones in no time', () => {
    const plan = planOf({ a: {}, m: { profile: null, dependsOn: ['a'] }, b: { dependsOn: ['m'] } });
    const { tasks, makespan: end, work } = predictRun(plan, unit);
    expect([end, work]).toEqual([2, 2]);
    expect(tasks.find(({ id }) => id === 'm')).toMatchObject({ slot: null, start: 1, end: 1 });
  });

  it('starts critical tasks first, then the longest path as it is believed to be', () => {
    const plan = planOf({ short: {}, long: {}, urgent: { priority: 95 } }, { maxAgents: 1 });
    const lengths: Record<string, number> = { short: 1, long: 9, urgent: 1 };
    const order = (expected?: (task: Task) => number | null) =>
      predictRun(plan, ({ id }) => lengths[id] ?? 0, expected).tasks.map(({ id }) => id);
    expect(order()).toEqual(['urgent', 'long', 'short']);
    expect(order(() => null)).toEqual(['urgent', 'short', 'long']);
  });

  it('tells how busy the agents are', () => {
    const plan = planOf({ a: {}, b: {}, c: { dependsOn: ['a', 'b'] } }, { maxAgents: 2 });
    expect(predictRun(plan, unit)).toMatchObject({
      agents: 2,
      makespan: 2,
      work: 3,
      utilisation: 0.75,
      speedup: 1.5,
      peak: 2,
    });
  });
});

const anyPlan = fc
  .array(
    fc.record({
      after: fc.array(fc.nat(30), { maxLength: 3 }),
      ms: fc.integer({ min: 1, max: 50 }),
      writes: fc.constantFrom(['x/**'], ['y/a'], ['y/*'], ['z'], []),
      phase: fc.constantFrom(null, 'p', 'q'),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((rows) => ({
    lengths: rows.map((row) => row.ms),
    plan: planOf(
      Object.fromEntries(
        rows.map((row, at) => [
          `t${at}`,
          {
            writes: row.writes,
            phase: row.phase,
            dependsOn: [...new Set(row.after.filter((other) => other < at))]
              .filter((other) => !(rows[other]?.phase === 'q' && row.phase !== 'q'))
              .map((other) => `t${other}`),
          },
        ]),
      ),
      {},
      ['p', 'q'],
    ),
  }));

/** Pairs of tasks that overlap in time. */
function together(prediction: Prediction): readonly (readonly [string, string])[] {
  return prediction.tasks.flatMap((a, at) =>
    prediction.tasks
      .slice(at + 1)
      .filter((b) => a.start < b.end && b.start < a.end)
      .map((b) => [a.id, b.id] as const),
  );
}

describe('every predicted run', () => {
  it('finishes each task once, in order, apart from its enemies, between the bounds', () => {
    fc.assert(
      fc.property(anyPlan, fc.integer({ min: 1, max: 6 }), ({ plan: given, lengths }, agents) => {
        const plan = withAgents(given, agents);
        const prediction = predictRun(plan, (task) => lengths[task.index] ?? 0);
        const at = new Map(prediction.tasks.map((task) => [task.id, task]));
        expect(at.size).toBe(plan.tasks.length);
        expect(prediction.tasks).toHaveLength(plan.tasks.length);
        for (const task of plan.tasks) {
          for (const before of task.dependsOn) {
            expect(at.get(task.id)?.start).toBeGreaterThanOrEqual(at.get(before)?.end ?? Infinity);
          }
        }
        const byId = new Map(plan.tasks.map((task) => [task.id as string, task]));
        for (const [a, b] of together(prediction)) {
          const [one, other] = [byId.get(a), byId.get(b)];
          if (one === undefined || other === undefined) throw new Error('unknown task');
          expect(accessConflict(one.access, other.access)).toBe(false);
        }
        expect(prediction.peak).toBeLessThanOrEqual(agents);
        const graph = buildTaskGraph(plan.tasks, plan.phases);
        const span = Math.max(...bottomLevels(graph, (task) => lengths[task.index] ?? 0).values());
        const total = lengths.reduce((sum, ms) => sum + ms, 0);
        expect(prediction.makespan).toBeGreaterThanOrEqual(Math.max(span, total / agents) - 1e-9);
        expect(prediction.makespan).toBeLessThanOrEqual(total);
        expect(prediction.work).toBe(total);
      }),
      { numRuns: 150 },
    );
  });
});
