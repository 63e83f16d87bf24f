import fc from 'fast-check';
import { accessConflict } from '../graph/path-overlap';
import type { Access } from '../model/access';
import { rememberOverlaps } from './known-overlaps';

const glob = fc.constantFrom(
  'a/**',
  'a/x',
  'a/*.ts',
  'b/**',
  '**/y',
  'c',
  '**',
  '!a/x',
  '!(a)',
  '',
);
const access: fc.Arbitrary<Access> = fc.record({
  reads: fc.array(glob, { maxLength: 3 }),
  writes: fc.array(glob, { maxLength: 3 }),
});

describe('overlaps that are remembered', () => {
  it('are those of the exact test, the first time and every time', () => {
    const conflict = rememberOverlaps();
    fc.assert(
      fc.property(access, access, (a, b) => {
        const expected = accessConflict(a, b);
        expect([conflict(a, b), conflict(b, a), conflict(a, b)]).toEqual([
          expected,
          expected,
          expected,
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('are exact for more globs than can be remembered, too', () => {
    const conflict = rememberOverlaps();
    const writes = (path: string): Access => ({ reads: [], writes: [path] });
    const last = writes('dir-1999/**');
    for (let n = 0; n < 2_000; n += 1) {
      expect(conflict(writes(`dir-${n}/file`), last)).toBe(n === 1_999);
    }
    expect(conflict(writes('dir-7/**'), writes('dir-7/x'))).toBe(true);
  });
});
