import { selectProjects, type SelectableProject } from './select-projects';
import { toList } from './options';

const project = (name: string, root: string, ...tags: readonly string[]): SelectableProject => ({
  name,
  root,
  tags,
});
const ALL = [
  project('acme', '.'),
  project('api', 'apps/api', 'scope:api', 'type:app'),
  project('web', 'apps/web', 'scope:web', 'type:app'),
  project('@acme/ui', 'libs/ui', 'scope:web'),
  project('@acme/util', 'libs/util'),
];
const names = (patterns: readonly string[]): readonly string[] =>
  selectProjects(ALL, patterns).projects.map(({ name }) => name);

describe('selectProjects', () => {
  it('takes every project but the workspace root by default', () => {
    expect(names([])).toEqual(['api', 'web', '@acme/ui', '@acme/util']);
  });

  it.each([
    [['api'], ['api']],
    [['acme'], ['acme']],
    [['@acme/*'], ['@acme/ui', '@acme/util']],
    [['libs/*'], ['@acme/ui', '@acme/util']],
    [['*'], ['acme', 'api', 'web']],
    [['**'], ['acme', 'api', 'web', '@acme/ui', '@acme/util']],
    [['tag:scope:web'], ['web', '@acme/ui']],
    [['tag:scope:*', '!tag:type:app'], ['@acme/ui']],
    [['!api'], ['web', '@acme/ui', '@acme/util']],
    [['web', 'web'], ['web']],
  ])('reads %j', (patterns, expected) => {
    expect(names(patterns)).toEqual(expected);
  });

  it('takes a dot for a dot and names the patterns that match nothing', () => {
    expect(selectProjects(ALL, ['web', 'a.i', 'tag:none', '!nope']).unmatched).toEqual([
      'a.i',
      'tag:none',
      '!nope',
    ]);
  });
});

describe('toList', () => {
  it('reads commas, repeats and blanks', () => {
    expect(toList('a, b,,c')).toEqual(['a', 'b', 'c']);
    expect(toList(['a,b', 'c'])).toEqual(['a', 'b', 'c']);
    expect(toList(undefined)).toEqual([]);
  });
});
