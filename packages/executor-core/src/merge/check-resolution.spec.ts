import * as fc from 'fast-check';
import { makeConflictRig, added, file, json, lines } from '../testing/conflict-rig';
import type { ConflictRig, Merge } from '../testing/conflict-rig';
import type { ResolutionCheck } from './check-resolution';
import { checkResolution } from './check-resolution';
import type { ConflictState } from './merge-tree';
import { mergeInMemory } from './merge-tree';

jest.setTimeout(60_000);

let rig: ConflictRig;
beforeAll(async () => {
  rig = await makeConflictRig();
});
afterAll(() => rig.cleanup());

async function conflictOf(merge: Merge): Promise<ConflictState> {
  const { ours, theirs } = await rig.commits(merge);
  const state = await mergeInMemory(rig.git, rig.repo.root, ours, theirs);
  if (state.kind === 'clean') throw new Error('These merge cleanly.');
  return state;
}

/** What is said of `files` as the answer to a conflict. */
async function problemWith(merge: Merge, files: Merge['base']): Promise<string | null> {
  const check = await checkOf(merge, files);
  return 'problem' in check ? check.problem : null;
}

async function checkOf(merge: Merge, files: Merge['base']): Promise<ResolutionCheck> {
  const state = await conflictOf(merge);
  const { base: commit } = await rig.commits({ base: files, ours: {}, theirs: {} });
  const { tree } = await rig.git.objects(rig.repo.root).readCommit(commit);
  return checkResolution({ git: rig.git, root: rig.repo.root }, state, tree);
}

const LINE = file('a.txt', lines('x'), lines('left'), lines('right'));

describe('what an agent made of a conflict', () => {
  it.each<[string, Merge, Merge['base']]>([
    ['both sides', LINE, { 'a.txt': lines('left', 'right') }],
    ['what the target has, with more of its own', LINE, { 'a.txt': lines('  left,', 'more') }],
    [
      'a file one side has deleted, with what the target gained',
      { base: { 'a.txt': 'x\n' }, ours: { 'a.txt': lines('x', 'y') }, theirs: { 'a.txt': null } },
      { 'a.txt': lines('x', 'y') },
    ],
    [
      'the deletion, where the target is the one that deleted',
      { base: { 'a.txt': 'x\n' }, ours: { 'a.txt': null }, theirs: { 'a.txt': lines('x', 'y') } },
      {},
    ],
    [
      'every value of both sides, in another order',
      file('a.json', json({ a: 1 }), json({ a: 1, b: 2 }), json({ a: 1, c: 3 })),
      { 'a.json': json({ c: 3, b: 2, a: 1 }) },
    ],
  ])('may be %s', async (_what, merge, result) => {
    expect(await problemWith(merge, result)).toBeNull();
  });

  it.each<[string, Merge, Merge['base'], string]>([
    [
      'markers',
      LINE,
      { 'a.txt': '<<<<<<< a\nleft\n=======\nright\n>>>>>>> b\n' },
      'markers in a.txt',
    ],
    [
      'one side alone',
      LINE,
      { 'a.txt': lines('right') },
      'dropped what the target gained in a.txt',
    ],
    ['nothing', LINE, {}, 'dropped what the target gained in a.txt'],
    [
      'a file beside it',
      LINE,
      { 'a.txt': lines('left', 'right'), 'b.txt': 'b\n' },
      'not in conflict: b.txt',
    ],
    [
      'the deletion of what the target changed',
      { base: { 'a.txt': 'x\n' }, ours: { 'a.txt': lines('x', 'y') }, theirs: { 'a.txt': null } },
      {},
      'dropped what the target gained in a.txt',
    ],
    [
      'JSON that cannot be read',
      file('a.json', json({ a: 1 }), json({ a: 2 }), json({ a: 3 })),
      { 'a.json': '{ "a": 2, "a": }\n' },
      'a.json',
    ],
    [
      'another link than the target has',
      {
        base: { l: { mode: '120000', content: 'x' } },
        ours: { l: { mode: '120000', content: 'y' } },
        theirs: { l: { mode: '120000', content: 'z' } },
      },
      { l: { mode: '120000', content: 'z' } },
      'dropped what the target gained in l',
    ],
  ])('may not be %s', async (_what, merge, result, problem) => {
    expect(await problemWith(merge, result)).toContain(problem);
  });

  const CALL = file(
    'a.ts',
    lines('f(1)', 'x', 'g()'),
    lines('f(1, 2)', 'x', 'g()', 'new'),
    lines('f(1, 3)', 'x', 'g()'),
  );

  it('may make one line of two in a hunk, and the version that lost its line is told', async () => {
    const state = await conflictOf(CALL);
    const ours = state.entries.find(({ stage }) => stage === 2)?.id;
    const rewritten = { 'a.ts': lines('f(1, 2, 3)', 'x', 'g()', 'new') };
    expect(await checkOf(CALL, rewritten)).toEqual({ losers: new Map([['a.ts', ours]]) });
    const both = { 'a.ts': lines('f(1, 2)', 'f(1, 3)', 'x', 'g()', 'new') };
    expect(await checkOf(CALL, both)).toEqual({ losers: new Map() });
  });

  it.each<[string, string]>([
    ['take the other side whole in the hunk', lines('f(1, 3)', 'x', 'g()', 'new')],
    ['drop the hunk', lines('x', 'g()', 'new')],
    ['drop what the target gained elsewhere in the file', lines('f(1, 2, 3)', 'x', 'g()')],
  ])('may not %s', async (_what, content) => {
    expect(await problemWith(CALL, { 'a.ts': content })).toContain(
      'dropped what the target gained',
    );
  });

  it('may rewrite no more hunks than it wrote lines for', async () => {
    const [base, ours, theirs] = ['', '2', '3'].map((more) =>
      lines(`a${more}`, ...'12345'.split(''), `b${more}`),
    );
    const two = file('a.txt', base ?? '', ours ?? '', theirs ?? '');
    const result = (first: string, last: string): Merge['base'] => {
      return { 'a.txt': lines(first, ...'12345'.split(''), last) };
    };
    expect(await problemWith(two, result('a23', 'b3'))).toContain('dropped');
    expect(await problemWith(two, result('a23', 'b23'))).toBeNull();
  });

  it('is taken exactly with every line the target gained, where it wrote nothing new', async () => {
    const words = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 4 });
    const answers = fc.tuple(words, words).chain(([left, right]) => {
      const [ours, theirs] = [
        ['ours', ...left],
        ['theirs', ...right],
      ];
      const known = [...new Set([...ours, ...theirs])];
      // One or two are left out, or none: most answers of any length would lack something.
      const result = fc.shuffledSubarray(known, { minLength: Math.max(0, known.length - 2) });
      return fc.record({ ours: fc.constant(ours), theirs: fc.constant(theirs), result });
    });
    const seen = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(answers, async ({ ours, theirs, result }) => {
        const merge = added('a.txt', lines(...ours), lines(...theirs));
        const problem = await problemWith(merge, { ...merge.base, 'a.txt': lines(...result) });
        const isWhole = ours.every((line) => result.includes(line));
        seen.add(isWhole);
        expect(problem === null).toBe(isWhole);
      }),
      { numRuns: 40 },
    );
    expect(seen.size).toBe(2);
  });
});
