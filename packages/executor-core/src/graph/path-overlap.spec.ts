import fc from 'fast-check';
import { accessConflict, accessSetsOverlap, compileAccess, globsOverlap } from './path-overlap';

describe('globsOverlap', () => {
  it.each([
    ['src/a.ts', 'src/a.ts'],
    ['src', 'src/deep/file.ts'],
    ['src/', 'src/file.ts'],
    ['./src/a.ts', 'src/a.ts'],
    ['src//a.ts', 'src/./a.ts'],
    ['src/**', 'src'],
    ['src/**', '**/*.ts'],
    ['**', 'anything/at/all'],
    ['**', '.hidden'],
    ['a/**/z', 'a/z'],
    ['a/**/z', 'a/b/**'],
    ['*.ts', '.ts'],
    ['a?c', 'abc'],
    ['[a-f]x', '[f-z]x'],
    ['[^a]', '[^b]'],
    ['{apps,libs}/api/**', 'libs/*/src/**'],
    ['a{,b}/c', 'a/c'],
    ['{a,{b,c}}/x', 'c/x'],
    ['src/*', 'src/components'],
    ['a**b', 'a-b'],
    ['app/[slug]/page.tsx', 'app/[slug]/**'],
    ['app/(shop)/page.tsx', 'app/(shop)'],
    ['*a*b*', 'b*a*'],
    ['😀*', '😀.md'],
  ])('finds a common path of %s and %s', (a, b) => {
    expect(globsOverlap(a, b)).toBe(true);
    expect(globsOverlap(b, a)).toBe(true);
  });

  it.each([
    ['src/a.ts', 'src/b.ts'],
    ['src', 'srcs/file.ts'],
    ['apps/api/**', 'apps/web/**'],
    ['*.ts', 'src/a.ts'],
    ['src/*', 'src/components/landing/*'],
    ['src/*.ts', 'src/*.js'],
    ['[a-c]x', '[d-f]x'],
    ['[^a]', 'a'],
    ['?', 'ab'],
    ['[a]', 'a/b'],
    ['{apps,libs}/api/**', 'tools/**'],
    ['**/*.spec.ts', '**/*.md'],
    ['a**b', 'a/b'],
    ['x[+-9]y', 'x/y'],
    ['app/(shop)/page.tsx', 'app/shop/page.tsx'],
    ['A/x', 'a/x'],
  ])('keeps %s and %s apart', (a, b) => {
    expect(globsOverlap(a, b)).toBe(false);
    expect(globsOverlap(b, a)).toBe(false);
  });

  it.each(['+(a|b)', '@(x)/y', '!(x)', 'src/[!a]', '[[:alpha:]]', 'a\\b', '{1..9}', '[z-a]'])(
    'takes %s, which is outside the dialect, as overlapping everything',
    (glob) => {
      expect(globsOverlap(glob, 'unrelated/path')).toBe(true);
    },
  );

  it('takes a glob with too many alternatives as overlapping everything', () => {
    expect(globsOverlap('{a,b}'.repeat(20), 'unrelated/path')).toBe(true);
  });
});

describe('accessSetsOverlap', () => {
  it.each([
    [['src/**', '!src/gen/**'], ['src/gen/api.ts'], false],
    [['src/**', '!src/gen'], ['src/gen/**/*.ts'], false],
    [['src/**', '!src/gen/**'], ['src/gen/**', 'src/main.ts'], true],
    [['src/**', '!src/gen/**'], ['src/**'], true],
    [['**', '!**/*.md'], ['**/*.md'], false],
    [['src/**', '!src/generated*'], ['src/generated/x'], true],
    [['!src/**'], ['src/**'], false],
    [['**', '!**/*.ts', '!**/*.js'], ['src/*.{ts,js}'], false],
    [['**', '!**/*.ts', '!**/*.js'], ['src/*.{ts,js,md}'], true],
    [['src/*', '!src/[a-m]*', '!src/[^a-m]*'], ['src/**'], false],
    [['src/*', '!src/[a-m]*', '!src/[^a-l]*'], ['src/**'], false],
    [['src/*', '!src/[a-l]*', '!src/[^a-m]*'], ['src/m'], true],
    [['src/**', '!src/*/**'], ['src/a/b'], false],
    [['src/**', '!src/*'], ['src/a/b'], true],
    [['a', '!a/**'], ['a'], false],
    [['src/**', '!+(a|b)'], ['src/a'], true],
    [[], ['**'], false],
    [['docs/**'], ['src/**', 'docs/a.md'], true],
  ] as const)('%j and %j: %s', (a, b, expected) => {
    expect(accessSetsOverlap(a, b)).toBe(expected);
    expect(accessSetsOverlap(b, a)).toBe(expected);
  });
});

describe('accessConflict', () => {
  const access = (reads: readonly string[], writes: readonly string[]) => ({ reads, writes });

  it('lets readers of the same files run together', () => {
    expect(accessConflict(access(['src/**'], []), access(['src/**'], []))).toBe(false);
  });

  it('sees write with write, write with read and read with write', () => {
    expect(accessConflict(access([], ['a']), access([], ['a/b']))).toBe(true);
    expect(accessConflict(access([], ['a']), access(['a/b'], []))).toBe(true);
    expect(accessConflict(access(['a'], []), access([], ['a/b']))).toBe(true);
  });
});

describe('compileAccess', () => {
  it.each([
    [['src'], 'src/a/b.ts', true],
    [['src'], 'srcs/a.ts', false],
    [['src/*.ts'], 'src/.hidden.ts', true],
    [['src/*.ts'], 'src/a/b.ts', false],
    [['x*/**'], 'xa', true],
    [['src/**', '!src/gen/**'], 'src/gen/a.ts', false],
    [['!src/gen/**', 'src/**'], 'src/gen/a.ts', false],
    [['src/**', '!src/gen/**'], 'src/main.ts', true],
    [['!src/gen/**'], 'docs/a.md', false],
    [['app/(shop)/**'], 'app/(shop)/page.tsx', true],
    [['app/[slug]/*.tsx'], 'app/[slug]/page.tsx', true],
    [['app/[...slug]/**'], 'app/[...slug]/page.tsx', true],
    [['app/[slug]'], 'app/[slug]/page.tsx', false],
    [['a+b/$id.tsx'], 'a+b/$id.tsx', true],
    [['[ab]+'], 'a+', true],
    [['[ab]+'], 'ab', false],
    [['@(a|b)/x'], 'b/x', true],
    [[''], 'any/file', true],
    [[], 'any/file', false],
  ] as const)('%j on %s: %s', (globs, path, expected) => {
    expect(compileAccess(globs)(path)).toBe(expected);
  });
});

const NAMES = fc.stringMatching(/^[ab.+(\-[\]]{1,3}$/);
const PIECE = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', '.', '+', '-', '(', ')', '$', '!', ',', '"') },
  { weight: 3, arbitrary: fc.constantFrom('*', '?', '**') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('[ab]', '[^a]', '[a-b]', '[+-b]', '[]', '[^]]', '[', ']'),
  },
  { weight: 1, arbitrary: fc.constantFrom('{a,b}', '{a/b,*}', '{,a}', '{a}', '{', '}') },
);
const SEGMENT = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('**', '.', '') },
  { weight: 4, arbitrary: fc.array(PIECE, { minLength: 1, maxLength: 3 }).map((p) => p.join('')) },
);
const GLOB = fc
  .array(SEGMENT, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((glob) => !glob.startsWith('!'));
const PATH = fc
  .array(NAMES, { minLength: 1, maxLength: 4 })
  .filter((names) => !names.some((name) => name === '.' || name === '..'))
  .map((names) => names.join('/'));

/** A path that the glob is likely to match: its wildcards filled in. */
const witness = (glob: string, fill: readonly string[]): string => {
  let at = 0;
  const next = (): string => fill[(at += 1) % fill.length] ?? 'a';
  return glob
    .replace(/\{([^{},]*),[^{}]*\}/g, '$1')
    .replace(/\*\*/g, next)
    .replace(/\[[^\]]*\]|[*?]/g, next)
    .split('/')
    .filter((name) => name !== '' && name !== '.' && name !== '..')
    .join('/');
};

describe('the overlap of generated globs', () => {
  it('is never denied when a path matches both', () => {
    fc.assert(
      fc.property(GLOB, GLOB, PATH, fc.array(NAMES, { minLength: 1 }), (a, b, path, fill) => {
        for (const candidate of [path, witness(a, fill), witness(b, fill)]) {
          if (candidate === '') continue;
          if (compileAccess([a])(candidate) && compileAccess([b])(candidate)) {
            expect([a, b, candidate, globsOverlap(a, b)]).toEqual([a, b, candidate, true]);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('is symmetric, and every glob overlaps itself unless it matches nothing', () => {
    fc.assert(
      fc.property(GLOB, GLOB, (a, b) => {
        expect(globsOverlap(a, b)).toBe(globsOverlap(b, a));
      }),
    );
  });

  it('is claimed only when a path exists, for globs small enough to try every path', () => {
    const names = ['a', 'b', 'c', 'aa', 'ab', 'ba', 'bb', 'ac', 'ca', 'aab', 'aba', '[ab]', '[^a]'];
    const paths = names.flatMap((x) => [
      x,
      ...names.flatMap((y) => [`${x}/${y}`, ...names.map((z) => `${x}/${y}/${z}`)]),
    ]);
    const small = fc
      .array(fc.constantFrom('a', 'b', '*', '**', 'a*', '?b', '[ab]', '[^a]', '{a,b}'), {
        minLength: 1,
        maxLength: 2,
      })
      .map((segments) => segments.join('/'));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const [left, right] = [compileAccess([a]), compileAccess([b])];
        const exists = paths.some((path) => left(path) && right(path));
        expect([a, b, globsOverlap(a, b)]).toEqual([a, b, exists]);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps a long glob against a long glob cheap', () => {
    const a = `${'*a'.repeat(200)}/**`;
    const b = `${'a*'.repeat(200)}/x`;
    expect(globsOverlap(a, b)).toBe(true);
  });
});
