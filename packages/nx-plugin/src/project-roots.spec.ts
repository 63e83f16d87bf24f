import { projectRoots, rootProject } from './project-roots';
import { tempWorkspace, type TempWorkspace } from './testing/temp-workspace';

describe('the names of projects', () => {
  let workspace: TempWorkspace | null = null;
  const given = (files: Readonly<Record<string, string | object>>): string => {
    workspace = tempWorkspace(files);
    return workspace.root;
  };
  afterEach(() => {
    workspace?.remove();
  });

  it('come from project.json, then the nx block of package.json, its name, the folder', () => {
    const files = {
      'libs/a/project.json': '{ // comments are allowed\n "name": "alpha" }',
      'libs/a/package.json': { name: '@acme/a' },
      'libs/b/package.json': { name: '@acme/b', nx: { name: 'beta' } },
      'libs/c/package.json': { name: '@acme/c' },
      'libs/Delta/project.json': {},
    };
    expect(Object.fromEntries(projectRoots(Object.keys(files), given(files)))).toEqual({
      alpha: 'libs/a',
      beta: 'libs/b',
      '@acme/c': 'libs/c',
      delta: 'libs/Delta',
    });
  });

  it('belong to the folder with a project.json when two folders claim one', () => {
    const files = {
      'examples/ui/package.json': { name: 'ui' },
      'libs/ui/project.json': { name: 'ui' },
    };
    expect(projectRoots(Object.keys(files), given(files)).get('ui')).toBe('libs/ui');
  });

  it('leave the workspace root and damaged manifests out', () => {
    const files = { 'package.json': { name: 'acme' }, 'libs/x/package.json': '{ oops' };
    const roots = projectRoots(Object.keys(files), given(files));
    expect([...roots.keys()]).toEqual(['x']);
  });

  it('tell whether the workspace root has one of its own', () => {
    expect(rootProject(given({ 'package.json': { name: 'acme' } }))).toEqual({
      name: 'acme',
      declared: true,
    });
    workspace?.remove();
    expect(rootProject(given({ 'package.json': { private: true } }))).toEqual({
      name: 'workspace-root',
      declared: false,
    });
    workspace?.remove();
    expect(rootProject(given({}))).toEqual({ name: 'workspace-root', declared: false });
  });
});
