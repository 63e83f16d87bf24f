import fc from 'fast-check';
import type { Entity } from './merge-entities';
import { END, mergeEntities } from './merge-entities';

const never = () => Promise.resolve(null);
const entity = (key: string, word = ''): Entity => ({ key, text: `${key}${word}\n` });
const fileOf = (...entities: readonly Entity[]): readonly Entity[] => [
  ...entities,
  { key: END, text: '' },
];
const plain = (keys: string): readonly Entity[] => fileOf(...keys.split('').map((k) => entity(k)));
const merge = async (base: string, ours: string, theirs: string): Promise<string | null> => {
  const sides = { base: plain(base), ours: plain(ours), theirs: plain(theirs) };
  return (await mergeEntities(sides, never))?.replace(/\n/g, '') ?? null;
};

describe('the merge of a file by its entities', () => {
  it.each([
    ['abc', 'abc', 'abc', 'abc'],
    ['abc', 'abxc', 'abyc', 'abxyc'],
    ['abc', 'xabc', 'abcy', 'xabcy'],
    ['ab', 'abx', 'aby', 'abxy'],
    ['', 'x', 'y', 'xy'],
    ['abc', 'ab', 'abcy', 'aby'],
    ['abc', 'cab', 'abxc', 'cabx'],
    ['abc', 'abxc', 'cab', 'cabx'],
  ])('of %j, %j and %j is %j', async (base, ours, theirs, result) => {
    expect(await merge(base, ours, theirs)).toBe(result);
  });

  it.each([
    ['both moved something', 'abc', 'bac', 'acb'],
    ['one entity was replaced twice', 'a', 'x', 'y'],
    ['a key is there twice', 'a', 'aa', 'ab'],
  ])('is no answer when %s', async (_, base, ours, theirs) => {
    expect(await merge(base, ours, theirs)).toBeNull();
  });

  it('loses nothing and makes nothing up while the sides touch different entities', async () => {
    const fate = fc.constantFrom('kept', 'ours changed', 'theirs changed', 'ours gone');
    const keys = fc.array(fate, { maxLength: 12 });
    const extra = fc.nat({ max: 12 });
    await fc.assert(
      fc.asyncProperty(keys, extra, extra, async (fates, left, right) => {
        const side = (who: string, at: number): readonly Entity[] => {
          const own = fates.flatMap((what, index) =>
            what === `${who} gone`
              ? []
              : [entity(`k${index};`, what === `${who} changed` ? who : '')],
          );
          own.splice(at, 0, entity(`${who};`));
          return fileOf(...own);
        };
        const base = fileOf(...fates.map((_, index) => entity(`k${index};`)));
        const sides = { base, ours: side('ours', left), theirs: side('theirs', right) };
        const merged = await mergeEntities(sides, never);
        const expected = fates.flatMap((what, index) =>
          what === 'ours gone'
            ? []
            : [`k${index};${what === 'kept' ? '' : (what.split(' ')[0] ?? '')}`],
        );
        const lines = merged?.split('\n').filter((line) => line !== '') ?? [];
        expect([...lines].sort()).toEqual([...expected, 'ours;', 'theirs;'].sort());
        expect(lines.filter((line) => line.startsWith('k'))).toEqual(expected);
      }),
    );
  });
});
