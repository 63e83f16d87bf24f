import type { Plan } from '../model/task';
import { renderDiagnostics } from './diagnostics';
import { parsePlan } from './load-plan';
import { planFromTasks } from './plan-from-tasks';

const parse = (text: string) => parsePlan({ text, file: 'parallel.yaml' });

const planOf = (text: string): Plan => {
  const result = parse(text);
  if (!result.ok) throw new Error(renderDiagnostics(result.diagnostics, text));
  return result.plan;
};

/** `code line:column`, the message and the fix of each error. */
const seen = (text: string): readonly string[] => {
  const result = parse(text);
  const all = result.ok ? [] : result.diagnostics;
  return all
    .filter((one) => one.severity === 'error')
    .map((one) => `${one.code} ${one.line}:${one.column} ${one.message} ${one.fix ?? ''}`.trim());
};

const AGENTS = 'agents: { x: { command: run }, medic: { command: mend } }\n';

describe('deadlines', () => {
  it('limit the run and a task over all its attempts, and are absent by default', () => {
    const plan = planOf('parallel_executor: { deadline: 8h }\ntasks: { a: { deadline: 90s }, b: }');
    expect(plan.settings.deadlineMs).toBe(8 * 3_600_000);
    expect(plan.tasks.map((task) => task.deadlineMs)).toEqual([90_000, null]);
    expect(planOf('tasks: { a: }').settings.deadlineMs).toBeNull();
  });

  it('must leave time', () => {
    expect(seen('parallel_executor: { deadline: 0s }\ntasks: { a: { deadline: 9999h } }')).toEqual([
      'bad-duration 1:32 0s leaves no time. Use at least 1ms.',
      'bad-duration 2:25 9999h is longer than 24 days. Use at most 576h.',
    ]);
    expect(seen('tasks: { a: { deadline: soon } }')[0]).toContain('bad-duration 1:25');
  });

  it('may be numbers of milliseconds in code', () => {
    const { plan } = planFromTasks([{ id: 'a', deadline: 500 }], { deadline: 7000 });
    expect([plan.tasks[0]?.deadlineMs, plan.settings.deadlineMs]).toEqual([500, 7000]);
  });
});

describe('the healer', () => {
  it('is an agent by name', () => {
    const plan = planOf(`${AGENTS}parallel_executor: { healer: medic }`);
    expect(plan.settings.healer).toBe('medic');
    expect(plan.agents.map((agent) => agent.name)).toEqual(['x', 'medic']);
  });

  it.each([
    ['node tools/heal.mjs', '"node tools/heal.mjs"'],
    [['node', 'heal.mjs'], '[node, heal.mjs]'],
  ])('is a command, as an agent of its own: %j', (command, written) => {
    const plan = planOf(`${AGENTS}parallel_executor: { healer: { command: ${written} } }`);
    expect(plan.settings.healer).toBe('healer');
    expect(plan.agents.at(-1)).toMatchObject({ name: 'healer', adapter: 'command', command });
    const { plan: fromCode } = planFromTasks([{ id: 'a' }], { healer: { command } });
    expect(fromCode.agents).toMatchObject([{ name: 'healer', command }]);
  });

  it('must exist, and its name must not be taken', () => {
    expect(seen(`${AGENTS}parallel_executor: { healer: medik }`)).toEqual([
      'unknown-agent 2:30 healer is "medik", which is not defined. Did you mean "medic"?',
    ]);
    expect(
      seen('agents: { healer: { command: x } }\nparallel_executor: { healer: { command: y } }'),
    ).toEqual([
      'duplicate-agent 2:30 healer gives a command, and "agents:" defines an agent called "healer" too. Write healer: healer to use that agent, or rename it.',
    ]);
    expect(seen('parallel_executor: { healer: { comand: y } }')[0]).toContain('expected a command');
    expect(seen('parallel_executor: { healer: 5 }')[0]).toContain('expected the name of an agent');
  });
});

describe('the resolver of conflicts', () => {
  const withRules = (rules: string): string =>
    `${AGENTS}parallel_executor: { conflicts: ${rules} }`;

  it('is an agent by name, and how often it may try is said beside it', () => {
    const { conflicts } = planOf(withRules('{ resolver: medic, attempts: 2 }')).settings;
    expect(conflicts).toMatchObject({ resolver: 'medic', attempts: 2, structural: true });
    expect(planOf(withRules('{ rerere: off }')).settings.conflicts).not.toHaveProperty('resolver');
    const { plan } = planFromTasks([{ id: 'a' }], {
      agents: { medic: { command: 'mend' } },
      conflicts: { resolver: 'medic' },
    });
    expect(plan.settings.conflicts?.resolver).toBe('medic');
  });

  it('must exist, and be asked a sensible number of times', () => {
    expect(seen(withRules('{ resolver: medik }'))).toEqual([
      'unknown-agent 2:45 conflicts.resolver is "medik", which is not defined. Did you mean "medic"?',
    ]);
    expect(seen(withRules('{ resolver: 5 }'))).toEqual([
      expect.stringContaining('expected the name of an agent'),
    ]);
    expect(seen(withRules('{ resolver: medic, attempts: 0 }'))[0]).toContain('2:');
    expect(seen(withRules('{ resolver: medic, attempts: 11 }'))[0]).toContain('10 or less');
  });
});

describe('what an attempt without changes means', () => {
  it('is said by the task, else by its agent, else by what the agent is', () => {
    const plan = planOf(`agents:
  tool: { command: run }
  coder: { adapter: claude }
  careful: { command: run, noop: refuse }
tasks:
  a: { agent: tool }
  b: { agent: coder }
  c: { agent: careful }
  d: { agent: careful, noop: accept }
  e: { agent: tool, noop: refuse }
  f:
`);
    expect(plan.tasks.map((task) => `${task.id} ${task.noop}`)).toEqual([
      'a accept',
      'b refuse',
      'c refuse',
      'd accept',
      'e refuse',
      'f accept',
    ]);
    expect(plan.agents.map((agent) => agent.noop)).toEqual([null, null, 'refuse']);
  });

  it('is accept or refuse', () => {
    expect(seen('tasks: { a: { noop: maybe } }')[0]).toContain('bad-value 1:21');
    const { plan } = planFromTasks([{ id: 'a', agent: 'x', noop: 'refuse' }], {
      agents: { x: { adapter: 'function', noop: 'accept' } },
    });
    expect([plan.tasks[0]?.noop, plan.agents[0]?.noop]).toEqual(['refuse', 'accept']);
  });
});

describe('a counted resource', () => {
  const strategies = 'resource_strategies: { resources: { gpu: { max_parallel: 4 } } }\n';

  it('gives every task that names it the capacity, and one unit unless it takes more', () => {
    const plan = planOf(`${strategies}tasks:
  a: { required_resources: [{ id: gpu }] }
  b: { required_resources: [{ id: gpu, amount: 3 }, { id: db, exclusive: true }] }
  c: { required_resources: [{ id: gpu, exclusive: true }] }
`);
    expect(plan.tasks.map((task) => task.resources)).toEqual([
      [{ id: 'gpu', exclusive: false, amount: 1, capacity: 4 }],
      [
        { id: 'gpu', exclusive: false, amount: 3, capacity: 4 },
        { id: 'db', exclusive: true },
      ],
      [{ id: 'gpu', exclusive: true, amount: 1, capacity: 4 }],
    ]);
  });

  it('can be given in code', () => {
    const { plan } = planFromTasks([{ id: 'a', requiredResources: [{ id: 'gpu', amount: 2 }] }], {
      resourceStrategies: { resources: { gpu: { maxParallel: 2 } } },
    });
    expect(plan.tasks[0]?.resources).toEqual([
      { id: 'gpu', exclusive: false, amount: 2, capacity: 2 },
    ]);
  });

  it.each([
    [
      '{ id: gpu, amount: 5 }',
      'bad-amount 2:55 Task "a" takes 5 of gpu, of which there are 4: it could never start. Take at most 4, or raise resource_strategies.resources.gpu.',
    ],
    [
      '{ id: gpus, amount: 2 }',
      'bad-amount 2:56 Task "a" takes 2 of gpus, which has no capacity. Did you mean "gpu"?',
    ],
    [
      '{ id: ram, amount: 2 }',
      'bad-amount 2:55 Task "a" takes 2 of ram, which has no capacity. Add resource_strategies: { resources: { ram: { max_parallel: 2 } } }.',
    ],
    [
      '{ id: gpu, exclusive: true, amount: 2 }',
      'bad-amount 2:72 Task "a" wants gpu exclusively and gives an amount as well. Remove one of the two: exclusive takes all of it.',
    ],
    [
      '{ id: gpu }, { id: gpu }',
      'bad-amount 2:55 Task "a" names gpu twice. Name it once, with the whole amount.',
    ],
    ['{ id: gpu, amount: 0 }', 'out-of-range 2:55'],
  ])('refuses %s', (written, expected) => {
    const found = seen(`${strategies}tasks: { a: { required_resources: [${written}] } }`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('is not asked for a capacity that was left out as wrong', () => {
    const wrong = 'resource_strategies: { resources: { gpu: { max_parallel: none } } }\n';
    expect(seen(`${wrong}tasks: { a: { required_resources: [{ id: gpu, amount: 2 }] } }`)).toEqual([
      expect.stringContaining('found "none"'),
      expect.stringContaining('a mapping'),
    ]);
    expect(
      seen('resource_strategies: { resources: { "../x": { max_parallel: 1 } } }')[0],
    ).toContain('cannot be a resource');
  });
});

describe('resume of an agent', () => {
  it('is fresh unless the plan says otherwise, and one of three', () => {
    const { plan } = planFromTasks([{ id: 'a', agent: 'x' }], {
      agents: { x: { command: 'run' }, y: { command: 'run', resume: 'wip' } },
    });
    expect(plan.agents.map(({ resume }) => resume)).toEqual(['fresh', 'wip']);
    expect(seen('agents: { x: { command: run, resume: maybe } }')[0]).toContain('bad-value');
  });
});
