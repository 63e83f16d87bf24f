import fc from 'fast-check';

import { coneOf, conePatterns, coneOfPatterns, isInCone, outermost } from './sparse-cone';

const folders = fc.array(
  fc
    .array(fc.constantFrom('a', 'b', 'lib', 'x y', '[id]', 'q*', 'ü'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((names) => names.join('/')),
  { minLength: 0, maxLength: 6 },
);

describe('coneOf', () => {
  const cone = (...globs: readonly string[]) => coneOf({ reads: globs, writes: [] });

  it('takes of each glob what stands before its first special character', () => {
    expect(cone('libs/ui/**', 'apps/*/src/**', 'docs/guide/*.md')).toEqual([
      'apps',
      'docs/guide',
      'libs/ui',
    ]);
  });

  it('takes every alternative of braces', () => {
    expect(cone('libs/{ui,api}/src/**')).toEqual(['libs/api/src', 'libs/ui/src']);
  });

  it('needs no folder for files of the root, which every cone has', () => {
    expect(cone('*.json', 'package.json')).toEqual(['package.json']);
    expect(cone('*')).toEqual([]);
  });

  it('joins reads and writes, and leaves out what lies in another folder', () => {
    expect(coneOf({ reads: ['libs/**', 'libs-old/**'], writes: ['libs/ui/x.ts'] })).toEqual([
      'libs-old',
      'libs',
    ]);
  });

  it('passes over exclusions', () => {
    expect(cone('libs/ui/**', '!libs/ui/dist/**')).toEqual(['libs/ui']);
  });

  it('is none where a glob reaches everywhere or cannot be read', () => {
    expect(cone('libs/ui/**', '**/*.md')).toBeNull();
    expect(cone('**')).toBeNull();
    expect(cone('*/src/**')).toBeNull();
    expect(cone('libs/@(a|b)/**')).toBeNull();
  });
});

describe('conePatterns', () => {
  it('has the files beside the way to each folder, as git writes it', () => {
    expect(conePatterns(['a/b', 'c'])).toBe('/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n/c/\n');
  });

  it('is read back as the folders it was made of', () => {
    fc.assert(
      fc.property(folders, (given) => {
        const cone = outermost(given);
        expect([...coneOfPatterns(conePatterns(cone))].sort()).toEqual([...cone].sort());
      }),
    );
  });
});

describe('isInCone', () => {
  it('has the root files, what is below a folder, and what is beside the way there', () => {
    const cone = ['libs/ui'];
    expect(['x', 'libs/x', 'libs/ui/x', 'libs/ui/deep/x'].every((p) => isInCone(p, cone))).toBe(
      true,
    );
    expect(['libs/api/x', 'apps/x', 'libs/ui2/x'].some((p) => isInCone(p, cone))).toBe(false);
  });

  it('knows every file below every folder of a cone', () => {
    fc.assert(
      fc.property(folders, fc.nat(), (given, at) => {
        const chosen = given[at % Math.max(1, given.length)];
        if (chosen !== undefined) expect(isInCone(`${chosen}/f`, outermost(given))).toBe(true);
      }),
    );
  });
});
