import type { AgentProfile, Plan } from '../model/task';
import { renderDiagnostics, type Diagnostic } from './diagnostics';
import { parsePlan, type ParseOptions } from './load-plan';

const parse = (text: string, options?: ParseOptions) =>
  parsePlan({ text, file: 'parallel.yaml' }, options);

const planOf = (text: string, options?: ParseOptions): Plan => {
  const result = parse(text, options);
  if (!result.ok) throw new Error(renderDiagnostics(result.diagnostics, text));
  return result.plan;
};

const problemsOf = (text: string, options?: ParseOptions): readonly Diagnostic[] => {
  const result = parse(text, options);
  return result.ok ? [] : result.diagnostics.filter((one) => one.severity === 'error');
};

/** `code line:column`, and the marked text: what a reader sees first. */
const seen = (text: string, options?: ParseOptions): readonly string[] =>
  problemsOf(text, options).map((one) => {
    const line = text.split('\n')[one.line - 1] ?? '';
    const marked = line.slice(one.column - 1, one.column - 1 + one.length);
    return `${one.code} ${one.line}:${one.column} ${marked}`;
  });

const SPEC_EXECUTOR = `parallel_executor:
  max_agents: 25
  worktree_base: .worktrees/
  lock_timeout: 30s
  barrier_timeout: 120s
  retry_policy:
    max_retries: 3
    backoff: exponential
  merge_strategy: recursive
  checkpoint_interval: phase
`;
const SPEC_GRAPH = `graph:
  landing_page: []           # Pas de dépendances
  auth_system: []            # Pas de dépendances
  database_schema: []        # Pas de dépendances
  dashboard: []              # Pas de dépendances
  api_routes: [database_schema]  # Dépend du schema
  stripe_integration: [auth_system]  # Dépend de l'auth
  wire_components: [landing_page, dashboard, api_routes]
  final_tests: [wire_components, stripe_integration]
`;
const SPEC_LOCKS = `locks:
  read:
    - agent-1: [src/components/*, package.json]
    - agent-2: [src/lib/*, prisma/schema.prisma]
  write:
    - agent-1: [src/components/landing/*]
    - agent-2: [src/lib/auth/*]
  conflict_resolution: auto_merge | manual | priority
`;
const SPEC_LIMITS = `resource_strategies:
  team_based:
    pm_team: { max_parallel: 3 }
    dev_team: { max_parallel: 10 }
  task_type_based:
    api_calls: { max_parallel: 5 }
`;

describe('the samples of the specification', () => {
  it.each([SPEC_EXECUTOR, SPEC_GRAPH, SPEC_LOCKS, SPEC_LIMITS])('are plans one by one', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it('are one plan together', () => {
    const text = [SPEC_EXECUTOR, SPEC_GRAPH, SPEC_LOCKS, SPEC_LIMITS].join('\n');
    const result = parse(text);
    const plan = planOf(text);
    expect(plan.tasks.map((task) => task.id)).toEqual([
      'landing_page',
      'auth_system',
      'database_schema',
      'dashboard',
      'api_routes',
      'stripe_integration',
      'wire_components',
      'final_tests',
    ]);
    expect(plan.tasks[6]?.dependsOn).toEqual(['landing_page', 'dashboard', 'api_routes']);
    expect(plan.settings.conflictPolicy).toBe('auto_merge');
    expect(plan.settings.limits).toEqual({
      team: { pm_team: 3, dev_team: 10 },
      taskType: { api_calls: 5 },
    });
    expect(result.ok && result.warnings.map((one) => one.code).sort()).toEqual([
      'conflict-choices',
      'no-agents',
    ]);
  });
});

const BIG_SAMPLE = `
version: 1
parallel_executor:
  max_agents: 25
  worktree_base: .worktrees/
  worktrees: sparse
  lock_timeout: 30s
  barrier_timeout: 120s
  retry_policy: { max_retries: 3, backoff: exponential }
  merge_strategy: recursive
  checkpoint_interval: phase
  failure_strategy: continue_on_failure   # fail_fast | retry_failed
  timeout: 60m
  default_agent: codemod
  land: target
  setup:
    copy: [.env]
    reflink: [cache]
    hardlink: [assets]
    link: [node_modules]
    run: ["npm ci"]
    sparse: [tools]
    ports: 20
  verify: ["npx nx affected -t lint test build --base=$PARALLEL_BASE"]
  budget: { usd: 20, tokens: 5000000 }
agents:
  ui-super:      { adapter: claude, model: opus, instructions: be brief, max_parallel: 8 }
  backend-super: { adapter: codex }
  codemod:       { adapter: command, command: "node tools/codemod.mjs" }
phases: [phase_1, phase_2]
graph: { landing_page: [], database_schema: [], api_routes: [database_schema] }
tasks:
  api_routes:
    agent: backend-super
    prompt: add the routes
    project: api
    priority: HIGH
    phase: phase_1
    depends_on: [database_schema]
    reads: [libs/schema/**]
    writes: [apps/api/**]
    required_resources: [{ id: staging-db, exclusive: true }]
    team: dev_team
    task_type: api_calls
    verify: ["npx nx test api"]
    timeout: 30m
    env: { PORT: 3000, VERSION: 1.10, DEBUG: true }
locks:
  read:  [{ agent-1: ["src/components/*", package.json] }]
  write: [{ agent-1: ["src/components/landing/*"] }]
  conflict_resolution: auto_merge   # auto_merge | manual | priority
resource_strategies:
  team_based: { dev_team: { max_parallel: 10 } }
  task_type_based: { heavy_computation: { max_parallel: 2 } }
`;

describe('a full plan', () => {
  it('becomes settings, agents and tasks', () => {
    const plan = planOf(BIG_SAMPLE);
    expect(plan.file).toBe('parallel.yaml');
    expect(plan.settings).toMatchObject({
      maxAgents: 25,
      worktreeBase: '.worktrees/',
      worktrees: 'sparse',
      lockTimeoutMs: 30_000,
      barrierTimeoutMs: 120_000,
      retry: { maxRetries: 3, backoff: 'exponential', baseMs: 1000, maxMs: 60_000 },
      checkpoint: 'phase',
      timeoutMs: 3_600_000,
      setup: {
        copy: ['.env', 'cache'],
        hardlink: ['assets'],
        link: ['node_modules'],
        run: ['npm ci'],
        sparse: ['tools'],
        ports: 20,
      },
      budget: { usd: 20, tokens: 5_000_000 },
    });
    expect(plan.agents.map((agent) => agent.name)).toEqual([
      'ui-super',
      'backend-super',
      'codemod',
    ]);
    expect(plan.tasks.map((task) => [task.id, task.profile, task.homeSlot])).toEqual([
      ['landing_page', 'codemod', 1],
      ['database_schema', 'codemod', 2],
      ['api_routes', 'backend-super', 3],
    ]);
    expect(plan.tasks[2]).toEqual({
      id: 'api_routes',
      index: 2,
      profile: 'backend-super',
      prompt: 'add the routes',
      project: 'api',
      priority: 80,
      phase: 'phase_1',
      dependsOn: ['database_schema'],
      access: { reads: ['libs/schema/**'], writes: ['apps/api/**'] },
      writesDeclared: true,
      resources: [{ id: 'staging-db', exclusive: true }],
      team: 'dev_team',
      taskType: 'api_calls',
      verify: ['npx nx test api'],
      timeoutMs: 1_800_000,
      deadlineMs: null,
      noop: 'refuse',
      env: { PORT: '3000', VERSION: '1.10', DEBUG: 'true' },
      homeSlot: 3,
    });
    expect(plan.tasks[0]?.access).toEqual({
      reads: ['src/components/*', 'package.json'],
      writes: ['src/components/landing/*'],
    });
  });

  it('reads the same from JSON, indented with tabs too', () => {
    const json = {
      tasks: { b: { depends_on: ['a'] }, a: null },
      parallel_executor: { max_agents: 3 },
    };
    for (const text of [JSON.stringify(json), JSON.stringify(json, null, '\t')]) {
      expect(planOf(text).tasks.map((task) => task.id)).toEqual(['b', 'a']);
    }
  });

  it('ignores a byte order mark and Windows line ends', () => {
    const text = '\uFEFFtasks:\r\n  a: { agent: x }\r\n';
    expect(problemsOf(text)).toMatchObject([
      { code: 'unknown-agent', line: 2, column: 15, length: 1 },
    ]);
  });
});

describe('max_agents', () => {
  it('goes above 25 only with the flag', () => {
    const text = 'parallel_executor: { max_agents: 200, allow_more_agents: true }';
    expect(planOf(text).settings.maxAgents).toBe(200);
    expect(problemsOf('parallel_executor: { max_agents: 26 }')[0]?.message).toContain(
      'allow_more_agents: true',
    );
  });

  it('is overridden by --agents, in the same range', () => {
    expect(planOf('tasks: {}', { maxAgents: 7 }).settings.maxAgents).toBe(7);
    const [problem] = problemsOf('tasks: {}', { maxAgents: 40 });
    expect(problem).toMatchObject({ code: 'max-agents', file: '--agents', line: 0 });
    expect(problem?.message).toContain('--agents must be');
    expect(renderDiagnostics(problem === undefined ? [] : [problem], 'tasks: {}')).toMatch(
      /^--agents: error\[max-agents\]/,
    );
    expect(
      planOf('parallel_executor: { allow_more_agents: true }', { maxAgents: 40 }).settings
        .maxAgents,
    ).toBe(40);
    expect(problemsOf('tasks: {}', { maxAgents: Number.NaN })).toHaveLength(1);
  });
});

describe('aliases', () => {
  it('are followed', () => {
    const shared = 'tasks: { a: &t { priority: LOW }, b: *t }';
    expect(planOf(shared).tasks.map((task) => task.priority)).toEqual([20, 20]);
  });
});

describe('tasks', () => {
  const AGENTS =
    'agents: { x: { command: run } }\nparallel_executor: { default_agent: x, max_agents: 2 }\n';

  it('come from tasks and graph in the order of the file, number-like ids too', () => {
    const idsOf = (text: string) => planOf(text).tasks.map((task) => task.id);
    expect(idsOf('tasks: { b: {}, a: {} }\ngraph: { c: [a], a: [b] }')).toEqual(['b', 'a', 'c']);
    expect(idsOf('graph: { c: [a], a: [b] }\ntasks: { b: {}, a: {} }')).toEqual(['c', 'a', 'b']);
    expect(idsOf('tasks: { 10: {}, 2: {}, 0x1: {} }')).toEqual(['10', '2', '0x1']);
  });

  it('unite depends_on with graph', () => {
    const text = 'graph: { a: [b, c], b: [], c: [] }\ntasks: { a: { depends_on: [c] } }';
    expect(planOf(text).tasks[0]?.dependsOn).toEqual(['c', 'b']);
  });

  it('take writes and reads from locks, by id and by slot', () => {
    const text = `${AGENTS}tasks: { a: {}, b: { writes: [own/**] }, c: {} }
locks:
  write: { agent-1: [slot/**], b: [more/**] }
  read: [{ c: [docs/**] }]
`;
    expect(planOf(text).tasks.map((task) => [task.homeSlot, task.access])).toEqual([
      [1, { reads: [], writes: ['slot/**'] }],
      [2, { reads: [], writes: ['own/**', 'more/**'] }],
      [1, { reads: ['docs/**'], writes: ['slot/**'] }],
    ]);
  });

  it('without writes may change everything, and a warning counts them', () => {
    const text = `${AGENTS}tasks: { a: {}, b: { writes: [] }, c: { reads: [x] } }`;
    const result = parse(text);
    expect(planOf(text).tasks.map((task) => [task.writesDeclared, task.access.writes])).toEqual([
      [false, ['**']],
      [true, []],
      [false, ['**']],
    ]);
    expect(result.ok && result.warnings).toMatchObject([
      {
        code: 'undeclared-writes',
        line: 3,
        column: 10,
        message: expect.stringContaining('2 tasks') as string,
      },
    ]);
    const relaxed = parse(`${text}\nlocks: { conflict_resolution: auto_merge }`);
    expect(relaxed.ok && relaxed.warnings).toEqual([]);
  });

  it('without an agent are milestones that touch nothing', () => {
    const [task] = planOf(
      'agents: { x: { command: run } }\ntasks: { a: { writes: [x] }, b: { agent: x, writes: [y] } }',
    ).tasks;
    expect(task).toMatchObject({
      profile: null,
      access: { reads: [], writes: [] },
      writesDeclared: true,
    });
  });

  it('read their prompt from a file', () => {
    const text = `${AGENTS}tasks: { a: { prompt_file: prompts/a.md } }`;
    const asked: string[] = [];
    const plan = planOf(text, { readPromptFile: (path) => (asked.push(path), 'from the file') });
    expect([plan.tasks[0]?.prompt, asked]).toEqual(['from the file', ['prompts/a.md']]);
    expect(seen(text, { readPromptFile: () => null })).toEqual([
      'missing-prompt-file 3:28 prompts/a.md',
    ]);
  });

  it('may use agents that are defined elsewhere', () => {
    const elsewhere: AgentProfile = {
      name: 'y',
      adapter: 'claude',
      command: null,
      model: null,
      instructions: null,
      maxParallel: null,
      noop: null,
      resume: 'fresh',
      env: {},
    };
    const plan = planOf('tasks: { a: { agent: y, prompt: p, writes: [x] } }', {
      agents: [elsewhere],
    });
    expect(plan.agents).toEqual([elsewhere]);
  });

  it('may name files with the brackets and dollars of web frameworks', () => {
    const text = `${AGENTS}tasks: { a: { writes: ["app/[slug]/(shop)/$id.tsx", "!app/@modal/**"] } }`;
    expect(problemsOf(text)).toEqual([]);
  });

  it('load by the ten thousand', () => {
    const rows = Array.from(
      { length: 10_000 },
      (_, n) =>
        `  t${n}: { agent: x, writes: [apps/a${n}/**], depends_on: [${n > 0 ? `t${n - 1}` : ''}] }`,
    );
    const plan = planOf(`agents: { x: { command: run } }\ntasks:\n${rows.join('\n')}\n`);
    expect(plan.tasks).toHaveLength(10_000);
    expect(plan.tasks.at(-1)?.dependsOn).toEqual(['t9998']);
  });
});
