import fc from 'fast-check';
import { accessConflict } from '../graph/path-overlap';
import { planOf } from '../testing/plan';
import { Conflicts } from './conflicts';

describe('Conflicts', () => {
  it('says of any two tasks what comparing their globs says', () => {
    const glob = fc.constantFrom(
      ...['**', 'a', 'a/b', 'a/b/**', 'a/*', '*/b', 'a/b*', '{a,c}/x', 'a/[bc]', '+(a)', 'c/'],
      ...[
        '!a/b',
        '!a',
        '!**',
        'a/b/c/**',
        './a',
        'a/./b',
        'a/b/',
        'a/b.c/**',
        '.a/b',
        'b/..',
        'a/b/d',
        'a/c/d/*',
        'c/b/*/d',
        'd/e/f',
        'a/{b,c}/e/f',
      ],
    );
    const globs = fc.array(glob, { maxLength: 3 });
    const access = fc.record({ reads: globs, writes: globs });
    fc.assert(
      fc.property(access, access, (one, other) => {
        const { tasks, ...plan } = planOf({
          tasks: [
            { id: 'a', ...one },
            { id: 'b', ...other },
          ],
        });
        const [a, b] = tasks;
        if (a === undefined || b === undefined) throw new Error('no tasks');
        const conflicts = new Conflicts({ ...plan, tasks });
        const expected = accessConflict(a.access, b.access);
        expect(conflicts.exclude(a, b, new Map())).toBe(expected);
        expect(conflicts.exclude(b, a, new Map())).toBe(expected);
        if (expected) expect(conflicts.isApartFrom(a, conflicts.placesOf([1], 0, 1))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
