import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeMergeRig, type MergeRig } from '../testing/merge-rig';
import { createMerger, type MergeChoice } from './merge-strategy';
import { mergeInMemory, type MergeResult } from './merge-tree';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

const TEN = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';

describe('createMerger', () => {
  let rig: MergeRig;
  let base: string;

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.txt': TEN, 'gone.txt': 'x\n', 'same.txt': 's\n' });
    base = await rig.tip();
  });
  afterEach(() => rig.cleanup());

  const scratch = (): string => join(rig.root, '.git', 'parallel-scratch');
  const side = async (
    task: string,
    edits: Readonly<Record<string, string | null>>,
  ): Promise<string> => (await rig.candidate(task, edits, base)).candidate.commit;
  const merge = (
    choice: Partial<MergeChoice>,
    ours: string,
    theirs: string,
    from?: string,
  ): Promise<MergeResult> =>
    createMerger(
      { fs: rig.fs, commonDir: join(rig.root, '.git'), scratch: scratch() },
      { strategy: 'recursive', options: [], ...choice },
    )(rig.git, rig.root, ours, theirs, from);
  const textOf = async (merged: MergeResult, path = 'a.txt'): Promise<string> => {
    if (merged.kind !== 'clean') throw new Error(`conflict in ${merged.paths.join(', ')}`);
    return rig.repo.git(['show', `${merged.tree}:${path}`]);
  };
  /** Both change line 5; each also changes a line of its own far away. */
  const both = async (): Promise<readonly [string, string]> => [
    await side('a', { 'a.txt': TEN.replace('5', 'ours').replace('1\n', 'one\n') }),
    await side('b', { 'a.txt': TEN.replace('5', 'theirs').replace('9', 'nine') }),
  ];
  const untouched = async (): Promise<void> => {
    expect(await rig.repo.git(['status', '--porcelain'])).toBe('');
    expect(existsSync(scratch()) ? readdirSync(scratch()) : []).toEqual([]);
    expect(await rig.repo.git(['worktree', 'list'])).not.toContain('merge-');
    expect(existsSync(join(rig.root, '.git', 'MERGE_HEAD'))).toBe(false);
  };

  it('takes the hunk both sides changed from the side that is landed on, and keeps all else of both', async () => {
    const text = await textOf(await merge({ strategy: 'ours' }, ...(await both())));
    expect(text).toBe('one\n2\n3\n4\nours\n6\n7\n8\nnine\n10');
    await untouched();
  });

  it('takes that hunk from the candidate with theirs, and keeps all else of both', async () => {
    const text = await textOf(await merge({ strategy: 'theirs' }, ...(await both())));
    expect(text).toBe('one\n2\n3\n4\ntheirs\n6\n7\n8\nnine\n10');
    await untouched();
  });

  it('leaves it a conflict with recursive', async () => {
    const [ours, theirs] = await both();
    expect(await merge({}, ours, theirs)).toMatchObject({ kind: 'conflict', paths: ['a.txt'] });
  });

  it('is the plain merge where nothing is chosen', () => {
    const context = { fs: rig.fs, commonDir: '/nowhere', scratch: '/nowhere' };
    expect(createMerger(context, { strategy: 'recursive', options: [] })).toBe(mergeInMemory);
  });

  it.each(['ours', 'theirs'] as const)(
    'never throws a file of either side away with %s, and leaves a deletion to people',
    async (strategy) => {
      const ours = await side('a', { 'mine.txt': 'm\n', 'gone.txt': null });
      const theirs = await side('b', { 'yours.txt': 'y\n', 'gone.txt': 'changed\n' });
      const merged = await merge({ strategy }, ours, theirs);
      expect(merged).toMatchObject({ kind: 'conflict', paths: ['gone.txt'] });
      const one = await merge({ strategy }, base, theirs);
      expect(await textOf(one, 'yours.txt')).toBe('y');
    },
  );

  it('merges what differs in white space alone when told to', async () => {
    const ours = await side('a', { 'a.txt': TEN.replace('5', '   5') });
    const theirs = await side('b', { 'a.txt': TEN.replace('5', 'five') });
    expect((await merge({}, ours, theirs)).kind).toBe('conflict');
    const merged = await merge({ options: ['ignore-all-space'] }, ours, theirs);
    expect(await textOf(merged)).toContain('five');
    await untouched();
  });

  it('looks for renames, or not, as told', async () => {
    const ours = await side('a', { 'a.txt': null, 'b.txt': TEN });
    const theirs = await side('b', { 'a.txt': TEN.replace('5', 'five') });
    expect(await textOf(await merge({}, ours, theirs), 'b.txt')).toContain('five');
    expect(await merge({ options: ['no-renames'] }, ours, theirs)).toMatchObject({
      kind: 'conflict',
      paths: ['a.txt'],
    });
  });

  it('takes every option that a plan may name', async () => {
    const [ours, theirs] = await both();
    const options = ['renormalize', 'patience', 'diff-algorithm=histogram', 'find-renames=70'];
    const spaces = ['ignore-space-change', 'ignore-space-at-eol', 'ignore-cr-at-eol'];
    const merged = await merge(
      { strategy: 'ours', options: [...options, ...spaces] },
      ours,
      theirs,
    );
    expect(await textOf(merged)).toContain('ours');
  });

  it('merges along an explicit base, whatever the history says', async () => {
    const middle = await rig.repo.commit({ 'middle.txt': 'm\n' }, 'middle');
    const theirs = (await rig.candidate('b', { 'n.txt': 'n\n' }, middle)).candidate.commit;
    const merged = await merge({ options: ['patience'] }, base, theirs, middle);
    const tree = merged.kind === 'clean' ? merged.tree : '';
    expect(await rig.repo.git(['ls-tree', '--name-only', tree])).toBe(
      'a.txt\ngone.txt\nn.txt\nsame.txt',
    );
  });

  it('obeys no setting of the user that would refuse, sign or record the merge', async () => {
    for (const [key, value] of [
      ['merge.ff', 'only'],
      ['rerere.enabled', 'true'],
      ['merge.verifySignatures', 'true'],
    ] as const) {
      await rig.repo.git(['config', key, value]);
    }
    expect((await merge({ strategy: 'theirs' }, ...(await both()))).kind).toBe('clean');
    expect(existsSync(join(rig.root, '.git', 'rr-cache'))).toBe(false);
  });

  it('throws when git cannot answer, and leaves nothing behind', async () => {
    const bad = merge({ options: ['patience'] }, base, '1'.repeat(40));
    await expect(bad).rejects.toThrow('git ');
    await untouched();
  });
});
