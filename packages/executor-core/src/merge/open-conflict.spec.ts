import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { ConflictRig, Merge } from '../testing/conflict-rig';
import { added, file, makeConflictRig } from '../testing/conflict-rig';
import { mergeInMemory } from './merge-tree';
import type { OpenConflict } from './open-conflict';
import { closeConflict, lookAtConflict, openConflict } from './open-conflict';

jest.setTimeout(60_000);
const fs = nodeFileSystem();

describe('a conflict opened in a worktree', () => {
  let rig: ConflictRig;
  let worktree: string;
  beforeEach(async () => {
    rig = await makeConflictRig();
    worktree = join(rig.repo.root, 'open');
  });
  afterEach(() => rig.cleanup());

  const git = (...args: string[]): Promise<string> => rig.repo.git(args, worktree);
  const text = (path: string): Promise<string> => readFile(join(worktree, path), 'utf8');
  const look = (...paths: string[]): Promise<OpenConflict> =>
    lookAtConflict({ git: rig.git, fs }, worktree, paths);

  /** Opens a merge; resolves with the candidate commit. */
  async function open(one: Merge): Promise<string> {
    const { ours, theirs } = await rig.commits(one);
    const merge = await mergeInMemory(rig.git, rig.repo.root, ours, theirs);
    await rig.repo.git(['worktree', 'add', '-q', '--detach', worktree, ours]);
    const gitDir = await git('rev-parse', '--absolute-git-dir');
    const request = { git: rig.git, fs, worktree, gitDir, merge, theirs, message: 'api: work\n' };
    await openConflict(request);
    // As after a kill in between.
    await openConflict(request);
    return theirs;
  }

  it('looks to git like a merge that stopped', async () => {
    const theirs = await open({
      base: { 'a.txt': 'base\n', 'b.txt': 'b\n', gone: 'g\n' },
      ours: { 'a.txt': 'left\n' },
      theirs: { 'a.txt': 'right\n', 'b.txt': 'B\n', gone: null, fresh: 'f\n' },
    });
    expect(await git('rev-parse', 'MERGE_HEAD')).toBe(theirs);
    expect((await git('status', '--porcelain')).split('\n')).toEqual([
      'UU a.txt',
      'M  b.txt',
      'A  fresh',
      'D  gone',
    ]);
    expect(await text('a.txt')).toBe('<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\n');
    expect(await look('a.txt')).toEqual({ unmerged: ['a.txt'], marked: ['a.txt'] });
    await writeFile(join(worktree, 'a.txt'), 'both\n');
    expect(await look('a.txt')).toEqual({ unmerged: ['a.txt'], marked: [] });
    await git('add', 'a.txt');
    expect(await look('a.txt')).toEqual({ unmerged: [], marked: [] });
    await git('commit', '-qm', 'mine');
    expect(await git('log', '-1', '--format=%P')).toContain(theirs);
  });

  it('has the versions of what was added twice, deleted or renamed', async () => {
    await open(added('n.txt', 'one\n', 'two\n'));
    expect(await git('status', '--porcelain')).toBe('AA n.txt');
    await rig.repo.git(['worktree', 'remove', '--force', worktree]);
    await open({ base: { a: 'a\n', b: 'b\n' }, ours: { a: 'A\n' }, theirs: { a: null } });
    expect(await git('status', '--porcelain')).toBe('UD a');
    expect(await look('a')).toEqual({ unmerged: ['a'], marked: [] });
    await git('rm', '-q', 'a');
    expect(await look('a')).toEqual({ unmerged: [], marked: [] });
  });

  it('takes names as they are, whatever they mean to git', async () => {
    const odd = ':(glob)*\n "ä".txt';
    await open(file(odd, 'x\n', 'y\n', 'z\n'));
    expect(await text(odd)).toContain('<<<<<<< ours\ny\n');
    expect(await look(odd)).toEqual({ unmerged: [odd], marked: [odd] });
  });

  it('does not take lines of a text for markers that were there before', async () => {
    const doc = (word: string): string => `<<<<<<< how git marks it\n${word}\n`;
    await open(file('guide.md', doc('a'), doc('b'), doc('c')));
    await git('add', 'guide.md');
    expect(await look('guide.md')).toEqual({ unmerged: [], marked: [] });
  });

  it('is not confused by a folder where the file was', async () => {
    await open(file('a', 'x\n', 'y\n', 'z\n'));
    await rm(join(worktree, 'a'));
    await mkdir(join(worktree, 'a'));
    await appendFile(join(worktree, 'a/b'), '<<<<<<< ours\n');
    expect(await look('a')).toEqual({ unmerged: ['a'], marked: [] });
  });

  it('can be ended, whatever was done about it, without a file being touched', async () => {
    await open(file('a', 'x\n', 'y\n', 'z\n'));
    await appendFile(join(worktree, 'b'), 'new\n');
    const before = await text('a');
    const gitDir = await git('rev-parse', '--absolute-git-dir');
    await appendFile(join(gitDir, 'index.lock'), '');
    await closeConflict({ git: rig.git, fs, worktree, gitDir }, 'HEAD');
    expect(await look('a')).toEqual({ unmerged: [], marked: ['a'] });
    expect(await text('a')).toBe(before);
    expect(await git('status', '--porcelain')).toBe(' M a\n?? b');
    await expect(git('rev-parse', '--verify', '-q', 'MERGE_HEAD')).rejects.toThrow();
  });

  it('shows a merge that is clean as staged changes', async () => {
    await open({ base: { a: 'a\n', b: 'b\n' }, ours: { a: 'A\n' }, theirs: { b: 'B\n' } });
    expect(await git('status', '--porcelain')).toBe('M  b');
  });
});
