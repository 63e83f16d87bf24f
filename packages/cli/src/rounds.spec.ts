import { planOf } from '@parallel-executor/core/testing';
import type { ConflictEdge, Plan } from '@parallel-executor/core';
import { parseTaskId } from '@parallel-executor/core';
import { forecast } from './forecast';
import { countRounds } from './rounds';

function rounds(
  plan: Plan,
  agents: number,
  exclusions: readonly (readonly [string, string])[] = [],
): number {
  const edges = exclusions.map(([a, b]): ConflictEdge => ({
    a: parseTaskId(a),
    b: parseTaskId(b),
    why: 'write/write',
  }));
  return countRounds(plan, edges, agents, () => 0);
}

describe('the number of rounds', () => {
  it('is limited by agents, dependencies, barriers and conflicts', () => {
    const free = planOf({ a: {}, b: {}, c: {}, d: {} });
    expect(rounds(free, 4)).toBe(1);
    expect(rounds(free, 3)).toBe(2);
    expect(rounds(free, 4, [['a', 'b']])).toBe(2);
    expect(rounds(planOf({ a: {}, b: { dependsOn: ['a'] } }), 9)).toBe(2);
    const phased = planOf({ a: { phase: 'x' }, b: { phase: 'y' }, c: {} }, {}, ['x', 'y']);
    expect(rounds(phased, 9)).toBe(2);
  });

  it('does not count milestones, and is 0 for no tasks', () => {
    const plan = planOf({ a: {}, m: { profile: null, dependsOn: ['a'] }, b: { dependsOn: ['m'] } });
    expect(rounds(plan, 9)).toBe(2);
    expect(rounds(planOf({}), 9)).toBe(0);
  });
});

describe('the forecast', () => {
  it('promises no speed-up when undeclared writes exclude everything, and says why', () => {
    const alone = { writes: ['**'], writesDeclared: false };
    const answer = forecast(planOf({ a: alone, b: alone, c: alone }));
    expect(answer.estimated_speedup).toBe(1);
    expect(answer.conflicts).toHaveLength(3);
    expect(answer.warnings.join('\n')).toContain('No writes are declared for a, b, c');
  });

  it('tells that overlapping writers run at once where a policy settles them', () => {
    const same = { writes: ['src/**'] };
    const answer = forecast(planOf({ a: same, b: same }, { conflictPolicy: 'auto_merge' }));
    expect(answer.conflicts[0]?.scheduled).toBe('at once, merged afterwards');
    expect(answer.estimated_speedup).toBe(2);
  });

  it('keeps an exclusive resource apart under every policy', () => {
    const db = { resources: [{ id: 'db', exclusive: true }] };
    const answer = forecast(planOf({ a: db, b: db }, { conflictPolicy: 'auto_merge' }));
    expect(answer.conflicts[0]).toMatchObject({
      why: 'resource',
      scheduled: 'one after the other',
    });
  });

  it('warns when there are more agents than any level has tasks', () => {
    expect(forecast(planOf({ a: {}, b: {} }, { maxAgents: 2 })).warnings).toEqual([]);
    expect(forecast(planOf({ a: {} }, { maxAgents: 2 })).warnings[0]).toContain('2 agents');
  });
});
