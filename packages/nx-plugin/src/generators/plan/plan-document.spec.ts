import { parsePlan } from '@parallel-executor/core';
import { planText } from '../plan-text';
import { planDocument, type PlanRequest } from './plan-document';
import type { ProjectFacts } from './project-facts';

const project = (
  name: string,
  root: string,
  dependencies: readonly string[] = [],
  targets: readonly string[] = ['test'],
): ProjectFacts => ({ name, root, tags: [], targets, dependencies });

const PROJECTS = [
  project('@acme/ui', 'libs/ui', ['@acme/util']),
  project('@acme/util', 'libs/util', [], ['build']),
  project('web', 'apps/web', ['@acme/ui', '@acme/util'], ['test', 'lint']),
];

function request(changes: Partial<PlanRequest> = {}): PlanRequest {
  return {
    projects: PROJECTS,
    selected: new Set(PROJECTS.map(({ name }) => name)),
    prompt: 'Tidy {project} in {root}; only {root}.',
    agent: 'claude',
    command: null,
    verifyTargets: ['test'],
    followDeps: false,
    ...changes,
  };
}

describe('planDocument', () => {
  it('makes one task per project with its folder, what it reads and its tests', () => {
    const { tasks } = planDocument(request());
    expect(Object.keys(tasks)).toEqual(['acme-ui', 'acme-util', 'web']);
    expect(tasks['acme-ui']).toEqual({
      agent: 'claude',
      prompt: 'Tidy @acme/ui in libs/ui; only libs/ui.',
      project: '@acme/ui',
      reads: ['libs/util/**'],
      writes: ['libs/ui/**'],
      verify: ['npx nx run-many -t test --projects=@acme/ui'],
    });
    expect(tasks['acme-util']).toEqual({
      agent: 'claude',
      prompt: 'Tidy @acme/util in libs/util; only libs/util.',
      project: '@acme/util',
      writes: ['libs/util/**'],
    });
  });

  it('gives tasks to the selected projects only, and they still read the others', () => {
    const { tasks } = planDocument(request({ selected: new Set(['web']) }));
    expect(Object.keys(tasks)).toEqual(['web']);
    expect(tasks['web']?.reads).toEqual(['libs/ui/**', 'libs/util/**']);
    expect(tasks['web']).not.toHaveProperty('depends_on');
  });

  it('orders tasks by the project graph on request, without the edge that closes a circle', () => {
    const circle = [project('a', 'a', ['b']), project('b', 'b', ['a', 'c']), project('c', 'c')];
    const selected = new Set(['a', 'b']);
    const { tasks } = planDocument(request({ projects: circle, selected, followDeps: true }));
    expect(tasks['a']?.depends_on).toEqual(['b']);
    expect(tasks['b']).not.toHaveProperty('depends_on');
  });

  it('checks the affected tests on the merged tree when any project has tests', () => {
    const expected = ['npx nx affected -t test --base=$PARALLEL_BASE'];
    expect(planDocument(request()).parallel_executor.verify).toEqual(expected);
    const untested = [project('a', 'a', [], ['build'])];
    const bare = planDocument(request({ projects: untested, selected: new Set(['a']) }));
    expect(bare.parallel_executor).not.toHaveProperty('verify');
  });

  it('runs the wanted targets where a project has them', () => {
    const { tasks } = planDocument(request({ verifyTargets: ['lint', 'test'] }));
    expect(tasks['web']?.verify).toEqual([
      'npx nx run-many -t lint --projects=web',
      'npx nx run-many -t test --projects=web',
    ]);
    expect(planDocument(request({ verifyTargets: [] })).tasks['web']).not.toHaveProperty('verify');
  });

  it('adds a profile for a command, under the name that is wanted', () => {
    const { agents, tasks } = planDocument(
      request({ agent: null, command: 'node x.mjs', prompt: null }),
    );
    expect(agents).toEqual({ codemod: { adapter: 'command', command: 'node x.mjs' } });
    expect(tasks['web']).not.toHaveProperty('prompt');
    const named = planDocument(request({ command: 'node x.mjs', agent: 'fixer' }));
    expect(named.agents).toEqual({ fixer: { adapter: 'command', command: 'node x.mjs' } });
    expect(named.parallel_executor.default_agent).toBe('fixer');
    expect(planDocument(request({ agent: 'codex' })).agents).toEqual({
      codex: { adapter: 'codex' },
    });
    expect(planDocument(request({ agent: 'ui-super' })).agents).toEqual({
      'ui-super': { adapter: 'claude' },
    });
  });

  it.each([{}, { followDeps: true }, { command: 'node "x y".mjs', prompt: 'a\nb' }])(
    'is a valid plan with %j',
    (changes) => {
      const text = planText(planDocument(request(changes)));
      const parsed = parsePlan({ text, file: 'parallel.yaml' }, {});
      expect(parsed).toMatchObject({ ok: true });
    },
  );
});
