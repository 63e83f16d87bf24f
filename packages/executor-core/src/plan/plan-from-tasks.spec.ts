import { UserError } from '../model/user-error';
import { planFromTasks, type PlanConfig, type TaskInput } from './plan-from-tasks';

const AGENTS: PlanConfig['agents'] = {
  'ui-super': { adapter: 'claude', maxParallel: 8 },
  'backend-super': { command: ['node', 'agent.js'], env: { PORT: 3000 } },
};

/** The message of the error, or '' when there is none. */
const problemOf = (tasks: readonly TaskInput[], config?: PlanConfig): string => {
  try {
    planFromTasks(tasks, config);
    return '';
  } catch (error) {
    if (error instanceof UserError && error.kind === 'usage') return error.message;
    throw error;
  }
};

describe('planFromTasks', () => {
  it('takes the tasks of the sample', () => {
    const { plan } = planFromTasks(
      [
        { id: 'landing', agent: 'ui-super', priority: 'HIGH' },
        { id: 'auth', agent: 'backend-super', priority: 'HIGH' },
        { id: 'db', agent: 'backend-super', priority: 'HIGH' },
      ],
      { agents: AGENTS, maxAgents: 2 },
    );
    expect(plan.file).toBeNull();
    expect(plan.tasks.map((task) => [task.id, task.profile, task.priority, task.homeSlot])).toEqual(
      [
        ['landing', 'ui-super', 80, 1],
        ['auth', 'backend-super', 80, 2],
        ['db', 'backend-super', 80, 1],
      ],
    );
    expect(plan.agents).toMatchObject([
      { name: 'ui-super', adapter: 'claude', maxParallel: 8 },
      {
        name: 'backend-super',
        adapter: 'command',
        command: ['node', 'agent.js'],
        env: { PORT: '3000' },
      },
    ]);
  });

  it('reads both spellings and durations in milliseconds', () => {
    const { plan } = planFromTasks(
      [
        {
          id: 'b',
          depends_on: ['a'],
          taskType: 'api',
          requiredResources: [{ id: 'db', exclusive: true }],
        },
        {
          id: 'a',
          dependsOn: [],
          task_type: 'ui',
          required_resources: [{ id: 'db' }],
          timeout: 1500,
        },
      ],
      {
        lockTimeout: 250,
        retryPolicy: { maxRetries: 1, baseDelay: '2s' },
        resourceStrategies: { teamBased: { dev: { maxParallel: 2 } } },
      },
    );
    expect(
      plan.tasks.map((task) => [task.dependsOn, task.taskType, task.resources, task.timeoutMs]),
    ).toEqual([
      [['a'], 'api', [{ id: 'db', exclusive: true }], 3_600_000],
      [[], 'ui', [{ id: 'db', exclusive: false }], 1500],
    ]);
    expect(plan.settings).toMatchObject({
      lockTimeoutMs: 250,
      retry: { maxRetries: 1, baseMs: 2000 },
      limits: { team: { dev: 2 } },
    });
  });

  it('keeps the order given, for number-like ids too', () => {
    const { plan } = planFromTasks([{ id: '10' }, { id: '9' }, { id: 'x' }]);
    expect(plan.tasks.map((task) => task.id)).toEqual(['10', '9', 'x']);
  });

  it('takes phases in the order tasks name them, unless the configuration lists them', () => {
    const tasks = [
      { id: 'a', phase: 'later' },
      { id: 'b', phase: 'first' },
    ];
    expect(planFromTasks(tasks).plan.phases).toEqual(['later', 'first']);
    expect(planFromTasks(tasks, { phases: ['first', 'later'] }).plan.phases).toEqual([
      'first',
      'later',
    ]);
    expect(problemOf(tasks, { phases: ['first'] })).toContain('"later"');
  });

  it('makes milestones of tasks whose agents nobody configured, and says so', () => {
    const { plan, warnings } = planFromTasks([{ id: 'a', agent: 'ui-super', prompt: 'p' }]);
    expect(plan.tasks[0]).toMatchObject({ profile: null, prompt: null });
    expect(warnings[0]).toContain('ui-super');
    expect(problemOf([{ id: 'a', agent: 'nobody' }], { agents: AGENTS })).toContain('"nobody"');
  });

  it('takes ready profiles', () => {
    const profile = {
      name: 'fn',
      adapter: 'function',
      command: null,
      model: null,
      instructions: null,
      maxParallel: null,
      noop: null,
      resume: 'fresh' as const,
      env: {},
    };
    const { plan } = planFromTasks([{ id: 'a', agent: 'fn', writes: ['x'] }], {
      agents: [profile],
    });
    expect(plan.agents).toEqual([profile]);
    expect(plan.tasks[0]?.access.writes).toEqual(['x']);
  });

  it('lists every problem in one error', () => {
    const message = problemOf(
      [
        { id: 'a', dependsOn: ['ghost'], writes: ['/etc'] },
        { id: 'a' },
        { id: 'b', depends_on: ['a'], dependsOn: ['a'] },
        { id: '../c', timeout: -5 },
      ],
      { maxAgents: 26 },
    );
    for (const part of [
      '"ghost"',
      '/etc',
      '"a" is given twice',
      'both spellings',
      '../c',
      'allow_more_agents',
      '-5ms',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).toMatch(/^The plan has 7 problems:/);
  });

  it('refuses what is no task with an error for users, in JavaScript too', () => {
    for (const bad of [
      null,
      5,
      'x',
      {},
      { id: 7 },
      { id: 'a', colour: 1 },
      { id: '__proto__' },
      { id: 'a', prompt: () => 1 },
    ]) {
      expect(problemOf([bad as unknown as TaskInput])).not.toBe('');
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
