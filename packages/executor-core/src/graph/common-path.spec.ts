import fc from 'fast-check';
import { commonPath } from './common-path';
import { compileAccess, globsOverlap } from './path-overlap';

const pathOf = (a: string, b: string, excluded: readonly string[] = []): string | null => {
  const found = commonPath(a, b, excluded);
  return found.kind === 'path' ? found.path : null;
};

describe('a common path of two globs', () => {
  it.each([
    ['src/*.ts', '**/a?.ts', 'src/ax.ts'],
    ['src', 'src/**/x.ts', 'src/x.ts'],
    ['{a,b}/[^a]', 'b/?', 'b/x'],
    ['a/**/z', '*/*/z', 'a/x/z'],
    ['.env*', '**', '.env'],
    ['a{,b}/c', 'ab/c', 'ab/c'],
    ['*{x,y}', '[xy]', 'x'],
    ['{a,{b,{c,d}}}/e', 'd/*', 'd/e'],
    ['docs/', 'docs/x/y.md', 'docs/x/y.md'],
    ['ä*', '?ö', 'äö'],
    ['日本/*', '**/語', '日本/語'],
  ])('%s and %s: %s', (a, b, path) => {
    expect(pathOf(a, b)).toBe(path);
    expect(pathOf(b, a)).not.toBeNull();
  });

  it.each([
    ['src/*.ts', 'src/a/*.ts'],
    ['A.md', 'a.md'],
    ['*', 'a/b'],
    ['[^a]', 'a'],
    ['a?', 'a'],
    ['**/*.ts', '**/*.tsx'],
  ])('%s and %s: none', (a, b) => {
    expect(commonPath(a, b)).toEqual({ kind: 'none' });
  });

  it('avoids what is excluded, by several exclusions together as well', () => {
    expect(pathOf('src/**', 'src/**', ['src/gen/**', 'src/*.ts'])).toBe('src');
    expect(pathOf('src/?*.ts', '**', ['src/[^x]*', '**/x.ts'])).toBe('src/xx.ts');
    expect(commonPath('src/{a,b}', '**', ['src/a', '**/b/**'])).toEqual({ kind: 'none' });
    expect(commonPath('**', '**', ['**'])).toEqual({ kind: 'none' });
  });

  it('is undecided for what is outside the dialect, and where the search is too large', () => {
    expect(commonPath('+(a)', 'a')).toEqual({ kind: 'undecided' });
    expect(commonPath('a', '{1..3}')).toEqual({ kind: 'undecided' });
    const holes = Array.from({ length: 12 }, (_, at) => `**/a${'?'.repeat(at + 1)}*b`);
    const started = process.cpuUsage();
    expect(commonPath('**/*[ab]*[ab]*[ab]*[ab]', '**/*a*b*[^b]', ['**', ...holes]).kind).not.toBe(
      'path',
    );
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(20);
  });
});

const PIECE = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '.', '-', '(', '!', 'é', '😀') },
  { weight: 3, arbitrary: fc.constantFrom('*', '?', '**') },
  { weight: 2, arbitrary: fc.constantFrom('[ab]', '[^a]', '[a-b]', '[]', '[^]]', '[', ']') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{a,b}', '{a/b,*}', '{,a}', '{a,{b,*.}}', '{a}', '{', '}'),
  },
);
const SEGMENT = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('**', '.', '') },
  { weight: 4, arbitrary: fc.array(PIECE, { minLength: 1, maxLength: 3 }).map((p) => p.join('')) },
);
const GLOB = fc
  .array(SEGMENT, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((glob) => !glob.startsWith('!'));
const NAME = fc.stringMatching(/^[ab.é(\-[\]]{1,3}$/);
const PATH = fc
  .array(NAME, { minLength: 1, maxLength: 4 })
  .filter((names) => !names.some((name) => name === '.' || name === '..'))
  .map((names) => names.join('/'));
/** Names that start with `.` or `..` alone are no names, and picomatch treats them apart. */
const isRealPath = (path: string): boolean =>
  path.split('/').every((name) => name !== '.' && name !== '..');

describe('generated globs', () => {
  it('have a common path that the matcher accepts, or none that it accepts', () => {
    const lists = fc.array(GLOB, { maxLength: 2 });
    fc.assert(
      fc.property(GLOB, GLOB, lists, fc.array(PATH, { maxLength: 6 }), (a, b, excluded, paths) => {
        const found = commonPath(a, b, excluded);
        const [left, right] = [compileAccess([a]), compileAccess([b])];
        const outside = (path: string): boolean => !compileAccess(excluded)(path);
        if (found.kind === 'path' && isRealPath(found.path)) {
          const { path } = found;
          expect([a, b, excluded, path, left(path), right(path), outside(path)]).toEqual([
            ...[a, b, excluded, path],
            ...[true, true, true],
          ]);
        }
        if (found.kind === 'none') {
          for (const path of paths) {
            expect([a, b, excluded, path, left(path) && right(path) && outside(path)]).toEqual([
              ...[a, b, excluded, path],
              false,
            ]);
          }
        }
      }),
      { numRuns: 4000, seed: 20 },
    );
  });

  it('overlap exactly when they have one, as the faster test says', () => {
    fc.assert(
      fc.property(GLOB, GLOB, (a, b) => {
        const found = commonPath(a, b);
        if (found.kind === 'undecided') expect(globsOverlap(a, b)).toBe(true);
        else expect([a, b, globsOverlap(a, b)]).toEqual([a, b, found.kind === 'path']);
      }),
      { numRuns: 3000, seed: 21 },
    );
  });

  it('match the same paths as an automaton and as an expression', () => {
    fc.assert(
      fc.property(GLOB, PATH, (glob, path) => {
        // A path without wildcards is a glob of its own.
        if (/[*?[\]{}]/.test(path)) return;
        const found = commonPath(glob, path);
        if (found.kind === 'undecided') return;
        // A literal stands for a folder too: only a path that is itself matched, or has more below.
        if (compileAccess([glob])(path))
          expect([glob, path, found.kind]).toEqual([glob, path, 'path']);
      }),
      { numRuns: 3000, seed: 22 },
    );
  });
});
