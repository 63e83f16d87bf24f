import type { CreateNodesContext, ProjectConfiguration } from '@nx/devkit';
import { createNodes, createNodesV2 } from './create-nodes';
import { tempWorkspace, type TempWorkspace } from './testing/temp-workspace';

const PLAN = `version: 1
agents:
  codemod: { adapter: command, command: node codemod.mjs }
phases: [first, second]
tasks:
  schema: { agent: codemod, prompt: Do it., project: db, phase: first, writes: [libs/db/**] }
  routes: { agent: codemod, prompt_file: goal.md, phase: second, writes: [apps/**] }
`;
const FILES = {
  'package.json': { name: 'acme', private: true },
  'libs/db/package.json': { name: '@acme/db', nx: { name: 'db' } },
  'goal.md': 'Write the routes.',
};

describe('createNodes', () => {
  let workspace: TempWorkspace;
  const infer = async (): Promise<Record<string, Partial<ProjectConfiguration>>> => {
    const files = ['package.json', 'libs/db/package.json', ...plans];
    const context: CreateNodesContext = { workspaceRoot: workspace.root, nxJsonConfiguration: {} };
    const results = await createNodes[1](files, undefined, context);
    return results[0]?.[1].projects ?? {};
  };
  let plans: string[];
  const givenPlan = (text: string, file = 'parallel.yaml'): void => {
    workspace.write(file, text);
    plans.push(file);
  };

  beforeEach(() => {
    workspace = tempWorkspace(FILES);
    plans = [];
  });
  afterEach(() => {
    workspace.remove();
  });

  it('infers the targets of a plan on the projects of its tasks', async () => {
    givenPlan(PLAN);
    const projects = await infer();
    expect(Object.keys(projects['libs/db']?.targets ?? {})).toEqual(['agent-schema', 'agent']);
    expect(projects['.']?.targets?.['agent-routes']).toMatchObject({
      executor: '@parallel-executor/nx:agent',
      options: { task: 'routes' },
      dependsOn: [{ projects: ['acme'], target: 'parallel-barrier-first' }],
    });
    expect(projects['.']?.targets?.['parallel-barrier-first']).toMatchObject({
      dependsOn: [{ projects: ['db'], target: 'agent-schema' }],
    });
  });

  it('uses the name under which the plugin is installed', async () => {
    givenPlan(PLAN);
    workspace.write('node_modules/parallel/package.json', { name: '@parallel-executor/nx' });
    const projects = await infer();
    expect(projects['.']?.targets?.['agent-routes']?.executor).toBe('parallel:agent');
  });

  it('gives a task another key when its prompt file changes', async () => {
    givenPlan(PLAN);
    const inputsOf = async (root: string, target: string): Promise<unknown> =>
      (await infer())[root]?.targets?.[target]?.inputs;
    const before = [await inputsOf('.', 'agent-routes'), await inputsOf('libs/db', 'agent-schema')];
    workspace.write('goal.md', 'Write other routes.');
    expect(await inputsOf('.', 'agent-routes')).not.toEqual(before[0]);
    expect(await inputsOf('libs/db', 'agent-schema')).toEqual(before[1]);
  });

  it('turns an invalid plan into one target that fails with the position of the mistake', async () => {
    givenPlan(PLAN.replace('phase: second', 'phase: third'));
    const projects = await infer();
    expect(Object.keys(projects)).toEqual(['.']);
    const { agent, ...others } = projects['.']?.targets ?? {};
    expect(others).toEqual({});
    expect(agent).toMatchObject({ cache: false, executor: '@parallel-executor/nx:agent' });
    expect(agent?.options).toEqual({
      problem: expect.stringMatching(/parallel\.yaml:7:\d+/) as string,
    });
  });

  it('infers nothing without a plan at the workspace root', async () => {
    expect(await infer()).toEqual({});
    givenPlan(PLAN, 'libs/db/parallel.yaml');
    expect(await infer()).toEqual({});
  });

  it('reads parallel.yaml when there are several plans', async () => {
    givenPlan('{ "version": 1, "tasks": {} }', 'parallel.json');
    givenPlan(PLAN);
    expect((await infer())['libs/db']).toBeDefined();
  });

  it('is there under the name that older Nx versions look for', () => {
    expect(createNodesV2).toBe(createNodes);
  });
});
