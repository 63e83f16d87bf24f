import type { ProjectNode } from './affected';
import { affectedProjects, meets, union } from './affected';

const PROJECTS: readonly ProjectNode[] = [
  { name: 'core', root: 'libs/core', dependsOn: [] },
  { name: 'ui', root: 'libs/ui', dependsOn: ['core'] },
  { name: 'ui-icons', root: 'libs/ui/icons', dependsOn: [] },
  { name: 'shop', root: 'apps/shop', dependsOn: ['ui'] },
  { name: 'api', root: 'apps/api', dependsOn: [] },
];
const affected = (...paths: string[]): unknown => {
  const found = affectedProjects(PROJECTS, paths);
  return found === 'all' ? found : [...found].sort();
};

describe('the projects a change can turn red', () => {
  it('are those it touches and all that depend on them', () => {
    expect(affected('libs/core/src/a.ts')).toEqual(['core', 'shop', 'ui']);
    expect(affected('apps/api/src/a.ts', 'apps/shop/src/b.ts')).toEqual(['api', 'shop']);
  });

  it('are told by the deepest project that holds the path', () => {
    expect(affected('libs/ui/icons/x.svg')).toEqual(['ui-icons']);
    expect(affected('libs/ui-kit/x.ts')).toBe('all');
  });

  it.each([
    'README.md',
    'libs/core/package.json',
    'libs/ui/tsconfig.lib.json',
    'apps/api/jest.config.ts',
    'libs/ui/project.json',
    'package-lock.json',
    'libs/ui/.eslintrc.json',
  ])('may be all when %s changes', (path) => {
    expect(affected(path, 'apps/api/src/a.ts')).toBe('all');
  });

  it('are none when nothing changes', () => {
    expect(affected()).toEqual([]);
  });

  it('meet where they share a project, and everything that nobody can tell', () => {
    expect(meets(new Set(['a', 'b']), new Set(['b']))).toBe(true);
    expect(meets(new Set(['a']), new Set(['b']))).toBe(false);
    expect(meets('all', new Set(['b']))).toBe(true);
    expect(meets(new Set(), 'all')).toBe(false);
    expect(union(new Set(['a']), new Set(['b']))).toEqual(new Set(['a', 'b']));
    expect(union('all', new Set(['b']))).toBe('all');
  });
});
