import * as nodeFs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeProcesses } from '../adapters/node-processes';
import { nodeProcessTrees } from '../adapters/node-process-trees';
import { parseRunId } from '../model/ids';
import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import { absorbTarget } from './absorb-target';
import { parseWorktreeList } from './checked-out';
import type { PublishResult } from './publish-target';
import { publishTarget } from './publish-target';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const MAIN = 'refs/heads/main';
const RUN = parseRunId('PEXEC-1');
const trees = nodeProcessTrees(nodeProcesses().self());
const pause = (): Promise<void> => Promise.resolve();

describe('publishTarget', () => {
  let rig: MergeRig;
  let start: string;
  let commit: string;

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
    start = await rig.tip();
    // What the run landed: one file changed, one new.
    commit = (await rig.candidate('task', { 'a.txt': 'landed\n', 'new.txt': 'new\n' })).candidate
      .commit;
    await rig.repo.git(['update-ref', INTEGRATION, commit]);
  });
  afterEach(() => rig.cleanup());

  const publish = (target: string | null = MAIN): Promise<PublishResult> =>
    publishTarget({
      ...{ git: rig.git, fs: rig.fs, root: rig.root, run: RUN, trees },
      target,
      commit,
      pause,
    });
  const read = (path: string): Promise<string> => nodeFs.readFile(join(rig.root, path), 'utf8');
  const at = (ref: string): Promise<string> => rig.repo.git(['rev-parse', ref]);
  /** Everything of the user's that must not change while the target is held. */
  const belongings = async (): Promise<unknown> => {
    const names = (await nodeFs.readdir(rig.root)).filter((name) => name !== '.git').sort();
    return {
      head: await at('HEAD'),
      before: await rig.repo.git(['for-each-ref']),
      undo: await nodeFs.readFile(join(rig.root, '.git/ORIG_HEAD'), 'utf8').catch(() => null),
      stash: await rig.repo.git(['stash', 'list']),
      index: await nodeFs.readFile(join(rig.root, '.git/index')),
      files: await Promise.all(names.map(async (name) => [name, await read(name)])),
    };
  };

  it('moves a clean checked out branch together with its files', async () => {
    expect(await publish()).toEqual({ kind: 'advanced', commit });
    expect([await at('main'), await at('HEAD')]).toEqual([commit, commit]);
    expect([await read('a.txt'), await read('new.txt')]).toEqual(['landed\n', 'new\n']);
    expect(await rig.repo.git(['status', '--porcelain'])).toBe('');
  });

  it('moves past uncommitted work in other files and leaves that alone', async () => {
    await rig.repo.write({ 'b.txt': 'dirty\n', 'c.txt': 'staged\n', 'mine.txt': 'untracked\n' });
    await rig.repo.git(['add', 'c.txt']);
    expect((await publish()).kind).toBe('advanced');
    expect(await rig.repo.git(['status', '--porcelain'])).toBe(' M b.txt\nM  c.txt\n?? mine.txt');
    expect([await read('b.txt'), await read('mine.txt')]).toEqual(['dirty\n', 'untracked\n']);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['a changed file', { 'a.txt': 'dirty\n', 'b.txt': 'dirty\n' }, 'a.txt'],
    ['an untracked file', { 'new.txt': 'mine\n' }, 'new.txt'],
  ])('is held by %s in its way, and changes nothing', async (_what, dirty, named) => {
    await rig.repo.write({ 'c.txt': 'stashed\n' });
    await rig.repo.git(['stash', 'push', '--quiet']);
    await rig.repo.write(dirty);
    await rig.repo.git(['update-ref', 'ORIG_HEAD', commit]);
    await rig.repo.git(['config', 'merge.autoStash', 'true']);
    // A touched file whose content is the same would be refreshed in the index by many a command.
    await nodeFs.utimes(join(rig.root, 'c.txt'), 1, 1);
    const before = await belongings();
    const result = await publish();
    expect(result).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining(named) as unknown,
    });
    expect(await belongings()).toEqual(before);
  });

  it('is held by a staged change in its way', async () => {
    await rig.repo.write({ 'a.txt': 'staged\n' });
    await rig.repo.git(['add', 'a.txt']);
    const before = await belongings();
    expect(await publish()).toMatchObject({ kind: 'held' });
    expect(await belongings()).toEqual(before);
  });

  it('names ten files in its way and counts the others', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `many-${String(n).padStart(2, '0')}.txt`);
    const files = Object.fromEntries(names.map((name) => [name, 'x\n']));
    commit = (await rig.candidate('many', files)).candidate.commit;
    await rig.repo.write(files);
    const result = await publish();
    expect(result.kind === 'held' && result.reason).toContain('many-09.txt and 2 more');
  });

  it('says what git said when an unfinished merge is in the way', async () => {
    await rig.repo.git(['branch', 'side', 'main']);
    await rig.repo.commit({ 'b.txt': 'other\n' }, 'on main');
    await rig.repo.git(['update-ref', INTEGRATION, 'main']);
    commit = (await rig.candidate('next', { 'n.txt': 'n\n' })).candidate.commit;
    await rig.repo.git(['checkout', '--quiet', 'side']);
    await rig.repo.commit({ 'b.txt': 'side\n' }, 'on side');
    await rig.repo.git(['checkout', '--quiet', 'main']);
    await expect(rig.repo.git(['merge', 'side'])).rejects.toThrow();
    const before = await belongings();
    const result = await publish();
    expect(result.kind === 'held' && result.reason).toMatch(/could not be moved in .*: .+/);
    expect(await belongings()).toEqual(before);
  });

  it('moves a branch nobody has checked out without touching any file', async () => {
    await rig.repo.git(['checkout', '--quiet', '-b', 'elsewhere']);
    await rig.repo.write({ 'a.txt': 'dirty\n' });
    expect(await publish()).toEqual({ kind: 'advanced', commit });
    expect(await at('main')).toBe(commit);
    expect(await read('a.txt')).toBe('dirty\n');
  });

  it('moves the files of another worktree that has the branch', async () => {
    await rig.repo.git(['checkout', '--quiet', '--detach']);
    const other = join(dirname(rig.root), 'other wörktree');
    await rig.repo.git(['worktree', 'add', '--quiet', other, 'main']);
    expect(await publish()).toEqual({ kind: 'advanced', commit });
    expect(await nodeFs.readFile(join(other, 'a.txt'), 'utf8')).toBe('landed\n');
    expect(await at('HEAD')).toBe(start);
  });

  it('is held while the branch is rebased, deleted, or checked out in a folder that is gone', async () => {
    const other = await rig.addWorktree('other');
    await rig.repo.git(['checkout', '--quiet', '-b', 'topic'], other);
    await rig.repo.write({ 'b.txt': 'topic\n' }, other);
    await rig.repo.git(['commit', '--quiet', '-am', 'topic'], other);
    const topic = await rig.candidate('next', { 'n.txt': 'n\n' }, await at('topic'));
    commit = topic.candidate.commit;
    await rig.repo.write({ 'b.txt': 'main\n' });
    await rig.repo.git(['commit', '--quiet', '-am', 'main']);
    await expect(rig.repo.git(['rebase', 'main'], other)).rejects.toThrow();
    expect(await publish('refs/heads/topic')).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('rebased') as unknown,
    });
    await rig.repo.git(['rebase', '--abort'], other);
    await nodeFs.rm(other, { recursive: true });
    expect(await publish('refs/heads/topic')).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('gone') as unknown,
    });
    expect(await publish('refs/heads/deleted')).toMatchObject({ kind: 'held' });
    expect(await publish(null)).toMatchObject({ kind: 'held' });
  });

  it('has nothing to do the second time, and when the branch is ahead', async () => {
    await publish();
    expect(await publish()).toEqual({ kind: 'advanced', commit });
    const ahead = await rig.repo.commit({ 'later.txt': 'x\n' }, 'later');
    expect(await publish()).toEqual({ kind: 'advanced', commit: ahead });
  });

  it('does not touch a branch that went its own way', async () => {
    const tip = await rig.repo.commit({ 'b.txt': 'user\n' }, 'by the user');
    const before = await belongings();
    expect(await publish()).toEqual({ kind: 'diverged', tip });
    expect(await belongings()).toEqual(before);
  });

  it('runs no hook of the repository', async () => {
    const hook = join(rig.root, '.git/hooks/post-merge');
    await nodeFs.writeFile(hook, '#!/bin/sh\ntouch hooked\n', { mode: 0o755 });
    await publish();
    await expect(nodeFs.access(join(rig.root, 'hooked'))).rejects.toThrow();
  });

  describe('after absorbTarget', () => {
    const absorb = (tip: string, verify: Parameters<typeof absorbTarget>[0]['verify'] = null) =>
      absorbTarget({ git: rig.git, root: rig.root, ref: INTEGRATION, tip, verify });

    it('publishes the work of the user and of the run together', async () => {
      const tip = await rig.repo.commit({ 'b.txt': 'user\n' }, 'by the user');
      const seen: string[] = [];
      const result = await absorb(tip, (_commit, _tree, base) => {
        seen.push(base);
        return Promise.resolve(null);
      });
      const merged = await rig.tip();
      expect(result).toEqual({ kind: 'absorbed', commit: merged });
      expect(await rig.repo.git(['rev-parse', `${merged}^@`])).toBe(`${commit}\n${tip}`);
      expect(seen).toEqual([commit]);
      commit = merged;
      expect(await publish()).toEqual({ kind: 'advanced', commit });
      expect([await read('a.txt'), await read('b.txt')]).toEqual(['landed\n', 'user\n']);
      expect(await absorb(tip)).toEqual({ kind: 'absorbed', commit });
    });

    it('leaves the integration branch alone on a conflict, a red check and a lost race', async () => {
      const tip = await rig.repo.commit({ 'a.txt': 'user\n' }, 'in conflict');
      expect(await absorb(tip)).toEqual({ kind: 'conflict', paths: ['a.txt'] });
      const clean = await rig.repo.git([
        'commit-tree',
        `${start}^{tree}`,
        '-p',
        start,
        '-m',
        'empty',
      ]);
      const failure = { kind: 'timeout', afterMs: 1, tail: '' } as const;
      expect(await absorb(clean, () => Promise.resolve(failure))).toEqual({
        kind: 'rejected',
        failure,
      });
      expect(await rig.tip()).toBe(commit);
      const race = async (): Promise<null> => {
        await rig.repo.git(['update-ref', INTEGRATION, start]);
        return null;
      };
      expect(await absorb(clean, race)).toEqual({ kind: 'stale' });
      expect(await rig.tip()).toBe(start);
    });
  });
});

describe('parseWorktreeList', () => {
  it('reads paths with any characters, and what is bare, detached or gone', () => {
    const list =
      'worktree /repo\0bare\0\0' +
      'worktree /a b\nc\0HEAD 01\0branch refs/heads/x/y\0\0' +
      'worktree /gone\0HEAD 01\0detached\0prunable gitdir file points to nothing\0\0';
    expect(parseWorktreeList(list)).toEqual([
      { path: '/repo', branch: null, missing: false, bare: true },
      { path: '/a b\nc', branch: 'refs/heads/x/y', missing: false, bare: false },
      { path: '/gone', branch: null, missing: true, bare: false },
    ]);
  });
});
