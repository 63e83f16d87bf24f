import { parseTaskId } from '../model/ids';
import { failed, landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { viewOf } from './fold';
import { statusJson } from './status-json';

const plan = planOf({ db: {}, api: { dependsOn: ['db'] }, ui: {} });

describe('the status object', () => {
  const view = viewOf(plan, [
    runStarted(plan),
    ...started('db', 1, 0),
    ...started('ui', 2, 0),
    ...landed('db', 10),
    ...started('api', 1, 10),
    {
      type: 'task:progress',
      at: second(12),
      task: parseTaskId('api'),
      percent: 40,
      note: 'wiring routes',
    },
  ]);

  it('has the contract’s keys and values', () => {
    const status = statusJson(view, second(15));
    expect(status.run).toEqual({
      id: 'PEXEC-1705316400000',
      status: 'running',
      reason: null,
      suspended: false,
      phase: { index: 1, total: 2, name: 'level 1' },
      eta_ms: 5000,
      eta_p90_ms: 5000,
      speedup: 2,
      started_at: '2024-01-15T11:00:00.000Z',
      finished_at: null,
      target_held: null,
    });
    expect(status.counts).toEqual({
      active: 2,
      max_agents: 4,
      completed: 1,
      in_progress: 2,
      pending: 0,
      failed: 0,
      blocked: 0,
      conflicted: 0,
      cached: 0,
    });
    expect(status.agents).toEqual([
      {
        id: 'agent-1',
        profile: 'codemod',
        task: 'api',
        state: 'running',
        progress: 40,
        waiting_for: [],
      },
      {
        id: 'agent-2',
        profile: 'codemod',
        task: 'ui',
        state: 'running',
        progress: 95,
        waiting_for: [],
      },
    ]);
    expect(status.tasks[1]).toEqual({
      id: 'api',
      state: 'running',
      phase: null,
      agent: 'agent-1',
      profile: 'codemod',
      attempt: 1,
      progress: 40,
      note: 'wiring routes',
      waiting_for: [],
      started_at: '2024-01-15T11:00:10.000Z',
      finished_at: null,
      duration_ms: 5000,
      error: null,
      salvage: null,
      blocked_by: null,
      cached: false,
      sandbox: 'audit',
      cost: { usd: null, tokens: null },
      commit: null,
      resolved: [],
    });
    expect(status.schemaVersion).toBe(1);
  });

  it('says interrupted, without an estimate, when nobody drives the run', () => {
    const { run } = statusJson(view, second(15), false);
    expect(run).toMatchObject({ status: 'interrupted', eta_ms: null });
  });

  it('tells the outcome of a finished run whether or not its process lives', () => {
    const ended = viewOf(plan, [
      runStarted(plan),
      ...started('db', 1, 0),
      ...failed('db', 2),
      { type: 'task:blocked', at: second(2), task: parseTaskId('api'), by: parseTaskId('db') },
      { type: 'run:finished', at: second(3), outcome: 'failed' },
    ]);
    const status = statusJson(ended, second(50), false);
    expect(status.run).toMatchObject({ status: 'failed', eta_ms: 0 });
    expect(status.tasks[0]).toMatchObject({ error: 'agent exited with code 3', state: 'failed' });
    expect(status.tasks[1]).toMatchObject({ blocked_by: 'db', state: 'blocked' });
    expect(status.agents).toEqual([]);
  });

  it('survives a round through JSON', () => {
    const status = statusJson(view, second(15));
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });
});
