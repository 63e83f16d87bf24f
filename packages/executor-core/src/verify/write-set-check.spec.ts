import { EVERYTHING } from '../model/access';
import { checkWriteSet } from './write-set-check';

describe('checkWriteSet', () => {
  it('accepts paths that a write glob covers', () => {
    const paths = ['src/a.ts', 'src/deep/b.ts', 'package.json'];
    expect(checkWriteSet(paths, { writes: ['src/**', 'package.json'] })).toEqual({ ok: true });
  });

  it('names every path outside, in the order given', () => {
    const paths = ['z.ts', 'src/a.ts', 'lib/b.ts'];
    expect(checkWriteSet(paths, { writes: ['src/**'] })).toEqual({
      ok: false,
      outside: ['z.ts', 'lib/b.ts'],
    });
  });

  it('refuses everything when nothing may be written, and nothing when everything may', () => {
    expect(checkWriteSet(['.env'], { writes: [] })).toEqual({ ok: false, outside: ['.env'] });
    expect(checkWriteSet(['.env', 'a/.b/c'], { writes: [EVERYTHING] })).toEqual({ ok: true });
  });

  it('takes excluded paths out of the write set', () => {
    const access = { writes: ['src/**', '!src/secret/**'] };
    expect(checkWriteSet(['src/secret/key'], access)).toEqual({
      ok: false,
      outside: ['src/secret/key'],
    });
  });

  it('treats characters of a path as characters, not as a pattern', () => {
    expect(checkWriteSet(['app/[id]/page.ts', 'a b/ü\n.ts'], { writes: ['app/**'] })).toEqual({
      ok: false,
      outside: ['a b/ü\n.ts'],
    });
  });

  it('has nothing against a candidate that wrote nothing', () => {
    expect(checkWriteSet([], { writes: [] })).toEqual({ ok: true });
  });
});
