import { parseTaskId, type Plan, type Task } from '@parallel-executor/core';
import { agentProjects, targetName, taskOfTarget, type TargetContext } from './agent-targets';
import { samplePlan, sampleTask } from './testing/sample-plan';

const CONTEXT: TargetContext = {
  executor: 'parallel:agent',
  root: { name: 'acme', declared: true },
  roots: new Map([
    ['api', 'apps/api'],
    ['ui', 'libs/ui'],
  ]),
  keyOf: (task) => `key of ${task.id} ${task.prompt ?? ''}`,
};

const after = (...ids: readonly string[]): Pick<Task, 'dependsOn'> => ({
  dependsOn: ids.map(parseTaskId),
});
const targetsOf = (plan: Plan, root: string, context = CONTEXT): Record<string, object> =>
  agentProjects(plan, context)[root]?.targets ?? {};

describe('agentProjects', () => {
  it('puts each task on its project and tasks without a known project on the workspace root', () => {
    const plan = samplePlan([
      sampleTask('routes', { project: 'api' }),
      sampleTask('docs'),
      sampleTask('lost', { project: 'no-such-project' }),
    ]);
    const projects = agentProjects(plan, CONTEXT);
    expect(Object.keys(projects)).toEqual(['apps/api', '.']);
    expect(Object.keys(targetsOf(plan, 'apps/api'))).toEqual(['agent-routes', 'agent']);
    expect(Object.keys(targetsOf(plan, '.'))).toEqual(['agent-docs', 'agent', 'agent-lost']);
  });

  it('makes a cacheable target whose key is the plan entry and whose output is the result bundle', () => {
    const targets = targetsOf(samplePlan([sampleTask('docs')]), '.');
    expect(targets['agent-docs']).toMatchObject({
      executor: 'parallel:agent',
      options: { task: 'docs' },
      cache: true,
      outputs: ['{workspaceRoot}/.parallel/out/docs'],
      dependsOn: [],
      inputs: [
        { runtime: expect.stringMatching(/^echo [0-9a-f]{32}$/) as string },
        { dependentTasksOutputFiles: '**/*.patch', transitive: true },
        { externalDependencies: [] },
      ],
    });
    expect(targets['agent']).toEqual({
      executor: 'nx:noop',
      cache: true,
      inputs: [{ externalDependencies: [] }],
      outputs: [],
      dependsOn: ['agent-*'],
    });
  });

  it('changes the inputs of the edited task and of nothing else', () => {
    const before = targetsOf(samplePlan([sampleTask('a'), sampleTask('b')]), '.');
    const edited = samplePlan([sampleTask('a', { prompt: 'Something else.' }), sampleTask('b')]);
    const now = targetsOf(edited, '.');
    expect(now['agent-b']).toEqual(before['agent-b']);
    expect({ ...now['agent-a'], inputs: null }).toEqual({ ...before['agent-a'], inputs: null });
    expect(now['agent-a']).not.toEqual(before['agent-a']);
  });

  it('orders tasks across projects by name of project and target', () => {
    const plan = samplePlan([
      sampleTask('schema', { project: 'ui' }),
      sampleTask('docs'),
      sampleTask('routes', { project: 'api', ...after('schema', 'docs') }),
    ]);
    expect(targetsOf(plan, 'apps/api')['agent-routes']).toMatchObject({
      dependsOn: [
        { projects: ['ui'], target: 'agent-schema' },
        { projects: ['acme'], target: 'agent-docs' },
      ],
    });
  });

  it('makes a phase wait for the barrier of the last phase before it that has tasks', () => {
    const plan = samplePlan(
      [
        sampleTask('a', { phase: 'one' }),
        sampleTask('b', { phase: 'one', project: 'api' }),
        sampleTask('c', { phase: 'three' }),
        sampleTask('free'),
      ],
      ['one', 'two', 'three'],
    );
    const targets = targetsOf(plan, '.');
    const gate = [{ projects: ['acme'], target: 'parallel-barrier-one' }];
    expect(targets['parallel-barrier-one']).toMatchObject({
      executor: 'nx:noop',
      dependsOn: [
        { projects: ['acme'], target: 'agent-a' },
        { projects: ['api'], target: 'agent-b' },
      ],
    });
    expect(targets).not.toHaveProperty('parallel-barrier-two');
    expect(targets['agent-a']).toMatchObject({ dependsOn: [] });
    expect(targets['agent-free']).toMatchObject({ dependsOn: [] });
    expect(targets['agent-c']).toMatchObject({ dependsOn: gate });
    expect(targets['parallel-barrier-three']).toMatchObject({
      dependsOn: [{ projects: ['acme'], target: 'agent-c' }, ...gate],
    });
  });

  it('names the workspace root only when nothing else does', () => {
    const plan = samplePlan([sampleTask('docs')]);
    expect(agentProjects(plan, CONTEXT)['.']).not.toHaveProperty('name');
    const nameless = { ...CONTEXT, root: { name: 'workspace-root', declared: false } };
    expect(agentProjects(plan, nameless)['.']).toHaveProperty('name', 'workspace-root');
  });
});

describe('target names', () => {
  it('lead back to the task', () => {
    expect(taskOfTarget(targetName('api.v2_x'))).toBe('api.v2_x');
    expect(taskOfTarget('agent')).toBeNull();
    expect(taskOfTarget('build')).toBeNull();
  });
});
