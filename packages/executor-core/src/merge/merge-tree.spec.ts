import type { MergeRig } from '../testing/merge-rig';
import { makeMergeRig } from '../testing/merge-rig';
import { mergeInMemory, mergePairs, parseMergeTree, parseMergeTrees } from './merge-tree';
import { resolveConflict } from './resolve-conflict';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const TREE = 'a'.repeat(40);
const OID = 'b'.repeat(40);

describe('parseMergeTree', () => {
  it('reads a clean answer', () => {
    expect(parseMergeTree(`${TREE}\0`)).toEqual({
      ...{ tree: TREE, conflicted: [], entries: [], notes: [] },
    });
  });

  it('names every conflicted path once, whatever characters it holds', () => {
    const entry = (stage: number, path: string): string => `100644 ${OID} ${stage}\t${path}\0`;
    const paths = ['z\ttab', 'a b\n"c"'];
    const entries = paths.flatMap((path) => [1, 2, 3].map((stage) => entry(stage, path)));
    const messages = `1\0a b\0CONFLICT (contents)\0CONFLICT: text\n\0`;
    expect(parseMergeTree(`${TREE}\0${entries.join('')}\0${messages}`)).toMatchObject({
      tree: TREE,
      conflicted: ['a b\n"c"', 'z\ttab'],
    });
  });

  it('takes the paths of the messages where no file is in conflict', () => {
    const oneMore = '1\0x\0Auto-merging\0t\n\0';
    const messages = `2\0old\0new\0CONFLICT (directory rename split)\0text\n\0${oneMore}`;
    expect(parseMergeTree(`${TREE}\0\0${messages}`)?.conflicted).toEqual(['new', 'old', 'x']);
  });

  it('does not take anything else for an answer', () => {
    expect(parseMergeTree('')).toBeNull();
    expect(parseMergeTree('fatal: no\0')).toBeNull();
  });
});

describe('parseMergeTrees', () => {
  const note = '1\0f\0CONFLICT (contents)\0text\n\0';
  const clash = `${['0', TREE, `100644 ${OID} 2\tf`, '', note].join('\0')}\0`;
  const clean = `1\0${TREE}\0\0`;

  it('tells clean answers from conflicts, in any order', () => {
    const kinds = (text: string): unknown => parseMergeTrees(text)?.map(({ isClean }) => isClean);
    expect(kinds('')).toEqual([]);
    expect(kinds(clean + clash + clean + clean + clash)).toEqual([true, false, true, true, false]);
    expect(parseMergeTrees(clash + clean)?.[0]).toMatchObject({ conflicted: ['f'] });
  });

  it('does not take anything else for answers', () => {
    expect(parseMergeTrees(`2\0${TREE}\0\0`)).toBeNull();
    expect(parseMergeTrees(`${clean}fatal: no\0`)).toBeNull();
  });
});

describe('mergeInMemory', () => {
  let rig: MergeRig;
  let base: string;

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.txt': '1\n2\n3\n', 'old/x.txt': 'x\n' });
    base = await rig.tip();
  });
  afterEach(() => rig.cleanup());

  const side = async (
    task: string,
    edits: Readonly<Record<string, string | null>>,
  ): Promise<string> => (await rig.candidate(task, edits, base)).candidate.commit;
  const merge = (ours: string, theirs: string, from?: string) =>
    mergeInMemory(rig.git, rig.root, ours, theirs, from);

  it('merges changes of both sides without touching the checkout', async () => {
    const merged = await merge(
      await side('a', { 'a.txt': '0\n2\n3\n' }),
      await side('b', { 'n.txt': 'n\n' }),
    );
    expect(merged.kind).toBe('clean');
    const tree = merged.kind === 'clean' ? merged.tree : '';
    expect(await rig.repo.git(['show', `${tree}:a.txt`])).toBe('0\n2\n3');
    expect(await rig.repo.git(['show', `${tree}:n.txt`])).toBe('n');
    expect(await rig.repo.git(['status', '--porcelain'])).toBe('');
  });

  it('tells content, deletion and file-against-folder conflicts with their paths', async () => {
    const ours = await side('a', { 'a.txt': 'A\n', 'old/x.txt': 'changed\n', n: 'file\n' });
    const theirs = await side('b', { 'a.txt': 'B\n', 'old/x.txt': null, 'n/f.txt': 'folder\n' });
    const merged = await merge(ours, theirs);
    expect(merged.kind === 'conflict' && merged.paths).toEqual(
      expect.arrayContaining(['a.txt', 'old/x.txt']),
    );
    expect(merged.kind === 'conflict' && merged.paths.some((path) => path.startsWith('n'))).toBe(
      true,
    );
  });

  it('merges along an explicit base, whatever the history says', async () => {
    const middle = await rig.repo.commit({ 'middle.txt': 'm\n' }, 'middle');
    const theirs = (await rig.candidate('b', { 'n.txt': 'n\n' }, middle)).candidate.commit;
    const merged = await merge(base, theirs, middle);
    const tree = merged.kind === 'clean' ? merged.tree : '';
    expect(await rig.repo.git(['ls-tree', '--name-only', tree])).toBe('a.txt\nn.txt\nold');
  });

  it('throws when git cannot answer', async () => {
    await expect(merge(base, '1'.repeat(40))).rejects.toThrow('merge-tree');
  });

  it('is the first rung of the conflict ladder; behind it wait a rerun or a person', async () => {
    const ours = await side('a', { 'a.txt': 'A\n' });
    const theirs = await side('b', { 'a.txt': 'B\n' });
    const request = { git: rig.git, cwd: rig.root, ours };
    const clean = await resolveConflict({ ...request, theirs: base, policy: 'wait' });
    expect(clean).toMatchObject({ kind: 'merged', resolved: [] });
    const unresolved = { kind: 'unresolved', paths: ['a.txt'] };
    expect(await resolveConflict({ ...request, theirs, policy: 'wait' })).toMatchObject({
      ...unresolved,
      next: 'rerun',
    });
    expect(await resolveConflict({ ...request, theirs, policy: 'manual' })).toMatchObject({
      ...unresolved,
      next: 'person',
    });
  });

  it('gives for many pairs at once what it gives for each', async () => {
    const sides = [
      await side('one', { 'a.txt': 'one\n2\n3\n' }),
      await side('other', { 'a.txt': 'other\n2\n3\n' }),
      await side('apart', { 'b.txt': 'b\n' }),
      await side('gone', { 'a.txt': null }),
    ];
    const pairs = sides.flatMap((left) => sides.map((right) => ({ left, right })));
    const each = await Promise.all(pairs.map(({ left, right }) => merge(left, right)));
    expect(new Set(each.map(({ kind }) => kind)).size).toBe(2);
    expect(await mergePairs(rig.git, rig.root, pairs)).toEqual(each);
  });

  it('gives the others where one pair cannot be merged', async () => {
    const one = await side('one', { 'a.txt': 'one\n' });
    const pairs = [one, 'f'.repeat(40), base].map((right) => ({ left: one, right }));
    const merged = await mergePairs(rig.git, rig.root, pairs);
    expect(merged.map((result) => result?.kind)).toEqual(['clean', undefined, 'clean']);
  });
});
