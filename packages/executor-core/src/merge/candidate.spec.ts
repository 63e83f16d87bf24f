import * as nodeFs from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from '../model/event';
import type { MergeRig } from '../testing/merge-rig';
import { makeMergeRig } from '../testing/merge-rig';
import type { CandidateResult } from './candidate';
import { makeCandidate } from './candidate';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const FIRST = {
  'kept.txt': 'kept\n',
  'edited.txt': 'before\n',
  'committed.txt': 'before\n',
  'gone.txt': 'gone\n',
  'dir/gone.txt': 'gone\n',
  'run.sh': '#!/bin/sh\n',
  'becomes-link': 'file\n',
  '.gitignore': '*.log\nbuild/\n',
};

describe('makeCandidate', () => {
  let rig: MergeRig;
  let base: string;
  let worktree: string;

  beforeEach(async () => {
    rig = await makeMergeRig(FIRST);
    base = await rig.tip();
    worktree = await rig.addWorktree('agent-1-task');
  });
  afterEach(() => rig.cleanup());

  const at = (path: string): string => join(worktree, path);
  const inside = (...args: string[]): Promise<string> => rig.repo.git(args, worktree);
  const write = (path: string, content: string | Buffer): Promise<void> =>
    nodeFs.writeFile(at(path), content);
  const collect = (fence?: number): Promise<CandidateResult> =>
    rig.collect('task', worktree, base, fence);
  const made = async (
    fence?: number,
  ): Promise<Candidate & { readonly paths: readonly string[] }> => {
    const result = await collect(fence);
    if ('failure' in result) throw new Error(JSON.stringify(result.failure));
    return { ...result.candidate, paths: result.paths };
  };
  const problem = async (): Promise<string> => {
    const result = await collect();
    return 'failure' in result && result.failure.kind === 'agent-error'
      ? result.failure.message
      : '';
  };
  const content = (candidate: Candidate, path: string): Promise<string> =>
    rig.repo.git(['show', `${candidate.commit}:${path}`]);

  it('holds commits, staged, unstaged, new, deleted, executable, linked and binary files', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
    await write('committed.txt', 'after\n');
    await inside('commit', '--quiet', '-am', 'agent');
    await write('edited.txt', 'after\n');
    await write('staged.txt', 'staged\n');
    await inside('add', 'staged.txt');
    await write('staged.txt', 'edited again\n');
    await nodeFs.mkdir(at('new dir'));
    await write('new dir/ü\n"x".txt', 'new\n');
    await write('bytes.bin', bytes);
    await nodeFs.rm(at('gone.txt'));
    await nodeFs.rm(at('dir'), { recursive: true });
    await nodeFs.chmod(at('run.sh'), 0o755);
    await nodeFs.rm(at('becomes-link'));
    await nodeFs.symlink('kept.txt', at('becomes-link'));
    await write('debug.log', 'ignored\n');
    const candidate = await made();
    expect(candidate.paths).toEqual([
      'becomes-link',
      'bytes.bin',
      'committed.txt',
      'dir/gone.txt',
      'edited.txt',
      'gone.txt',
      'new dir/ü\n"x".txt',
      'run.sh',
      'staged.txt',
    ]);
    expect(candidate).toMatchObject({ base, fence: 1, noop: false, fileCount: 9 });
    expect(await content(candidate, 'staged.txt')).toBe('edited again');
    const modes = await rig.repo.git(['ls-tree', candidate.commit, 'run.sh', 'becomes-link']);
    expect(modes).toMatch(/^120000 .*becomes-link\n100755 .*run\.sh$/);
    await rig.repo.git(['cat-file', 'blob', `${candidate.commit}:bytes.bin`]);
    const id = await inside('hash-object', 'bytes.bin');
    expect(await rig.repo.git(['rev-parse', `${candidate.commit}:bytes.bin`])).toBe(id);
  });

  it('is one commit on the base, kept under a ref of its run, task and fence', async () => {
    await write('a.txt', 'a\n');
    await inside('add', '.');
    await inside('commit', '--quiet', '-m', 'one');
    await write('b.txt', 'b\n');
    const candidate = await made(7);
    expect(candidate.ref).toBe('refs/parallel/PEXEC-1/task/7');
    expect(await rig.repo.git(['rev-parse', candidate.ref])).toBe(candidate.commit);
    expect(await rig.repo.git(['rev-parse', `${candidate.commit}^@`])).toBe(base);
    expect(await rig.repo.git(['rev-parse', `${candidate.commit}^{tree}`])).toBe(candidate.tree);
  });

  it("leaves the agent's index, files and branch as they were", async () => {
    await write('edited.txt', 'after\n');
    await write('staged.txt', 'staged\n');
    await inside('add', 'staged.txt');
    const gitDir = await inside('rev-parse', '--absolute-git-dir');
    const look = async (): Promise<unknown> => [
      await nodeFs.readFile(join(gitDir, 'index')),
      await nodeFs.readdir(gitDir),
      await inside('rev-parse', 'HEAD'),
    ];
    const before = await look();
    await made();
    expect(await look()).toEqual(before);
  });

  it('gives the same commit when it is made again, and another ref to other content', async () => {
    await write('a.txt', 'a\n');
    const first = await made();
    expect(await made()).toEqual(first);
    await write('a.txt', 'b\n');
    const second = await made();
    expect(second.ref).toBe('refs/parallel/PEXEC-1/task/1-2');
    expect(await rig.repo.git(['rev-parse', first.ref])).toBe(first.commit);
    expect(await made()).toEqual(second);
  });

  it('is a noop when nothing was changed, also when changes were taken back', async () => {
    await write('edited.txt', 'after\n');
    await inside('commit', '--quiet', '-am', 'there');
    await write('edited.txt', 'before\n');
    const candidate = await made();
    expect(candidate).toMatchObject({ noop: true, commit: base, fileCount: 0, files: [] });
    expect(await rig.repo.git(['rev-parse', candidate.ref])).toBe(base);
  });

  it('sees an edit that has the size and the time of what was committed', async () => {
    // As if commit and edit had happened within one tick of the file system's clock.
    const tick = 1_700_000_000;
    await inside('config', 'core.trustctime', 'false');
    await write('edited.txt', 'commit\n');
    await nodeFs.utimes(at('edited.txt'), tick, tick);
    await inside('commit', '--quiet', '-am', 'agent');
    await nodeFs.utimes(await inside('rev-parse', '--git-path', 'index'), tick, tick);
    await write('edited.txt', 'edited\n');
    await nodeFs.utimes(at('edited.txt'), tick, tick);
    expect(await content(await made(), 'edited.txt')).toBe('edited');
  });

  it('sees edits that git was told not to look for', async () => {
    await inside('update-index', '--assume-unchanged', 'edited.txt');
    await inside('update-index', '--skip-worktree', 'kept.txt');
    await write('edited.txt', 'after\n');
    await write('kept.txt', 'after\n');
    expect((await made()).paths).toEqual(['edited.txt', 'kept.txt']);
  });

  it('keeps an ignored file that was added by force, and drops one that was taken out', async () => {
    await write('forced.log', 'forced\n');
    await inside('add', '--force', 'forced.log');
    await inside('rm', '--quiet', '--cached', 'kept.txt');
    await write('.gitignore', 'kept.txt\n*.log\n');
    expect((await made()).paths).toEqual(['.gitignore', 'forced.log', 'kept.txt']);
  });

  it('takes the files as they are when the agent left a merge unfinished', async () => {
    await inside('checkout', '--quiet', '-b', 'side');
    await write('edited.txt', 'side\n');
    await inside('commit', '--quiet', '-am', 'side');
    await inside('checkout', '--quiet', 'agent-1-task');
    await write('edited.txt', 'mine\n');
    await inside('commit', '--quiet', '-am', 'mine');
    await expect(inside('merge', 'side')).rejects.toThrow();
    await write('edited.txt', 'solved\n');
    expect(await content(await made(), 'edited.txt')).toBe('solved');
  });

  it('keeps what lies outside a sparse cone, and what the agent wrote there', async () => {
    await inside('sparse-checkout', 'set', '--cone', '--sparse-index', 'dir');
    await inside('config', '--worktree', 'core.sparseCheckout', 'true');
    await nodeFs.mkdir(at('outside'));
    await write('outside/new.txt', 'new\n');
    await write('dir/gone.txt', 'changed\n');
    expect((await made()).paths).toEqual(['dir/gone.txt', 'outside/new.txt']);
  });

  it('works although a killed git left its lock on the index', async () => {
    await write('a.txt', 'a\n');
    const gitDir = await inside('rev-parse', '--absolute-git-dir');
    await nodeFs.writeFile(join(gitDir, 'index.lock'), '');
    expect((await made()).paths).toEqual(['a.txt']);
  });

  it.each([
    ['', ['a.txt']],
    ['.env\nnode_modules\n', ['.gitignore', 'a.txt']],
  ])('leaves out what set-up put into the worktree (ignored: %j)', async (ignored, paths) => {
    if (ignored !== '') await write('.gitignore', ignored);
    await write('.env', 'SECRET=1\n');
    await nodeFs.symlink('/nowhere', at('node_modules'));
    await write('a.txt', 'a\n');
    const result = await makeCandidate({
      ...{ git: rig.git, fs: rig.fs, root: rig.root, worktree, base },
      ...{ run: 'PEXEC-1' as never, task: 'task' as never, fence: 1, message: 'm\n' },
      exclude: ['.env', 'node_modules'],
    });
    expect('paths' in result && result.paths).toEqual(paths);
  });

  it('lists 20 files at most and counts them all', async () => {
    for (let n = 0; n < 30; n += 1) await write(`new-${String(n).padStart(2, '0')}.txt`, `${n}\n`);
    const candidate = await made();
    expect(candidate.files).toHaveLength(20);
    expect(candidate.fileCount).toBe(30);
    expect(candidate.paths).toHaveLength(30);
  });

  it('starts no git inside a repository that the agent planted, committed and armed', async () => {
    const nested = at('nested');
    const canary = join(rig.root, '..', 'canary');
    await rig.repo.git(['init', '--quiet', nested]);
    await write('nested/file.txt', 'x\n');
    await rig.repo.git(['add', '.'], nested);
    await rig.repo.git(['-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-qm', 'x'], nested);
    await inside('add', 'nested');
    await inside('commit', '--quiet', '--message', 'nested');
    await rig.repo.git(['config', 'filter.evil.clean', `touch '${canary}'; cat`], nested);
    await write('nested/.gitattributes', '* filter=evil\n');
    await write('nested/file.txt', 'y\n');
    expect(await problem()).toContain('nested');
    expect(await rig.fs.exists(canary)).toBe(false);
  });

  it('refuses a nested repository, with or without commits', async () => {
    await rig.repo.git(['init', '--quiet', at('nested')]);
    await write('nested/file.txt', 'x\n');
    expect(await problem()).toContain('nested');
    const nested = at('nested');
    await rig.repo.git(['add', '.'], nested);
    await rig.repo.git(['-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-qm', 'x'], nested);
    expect(await problem()).toMatch(/nested repository .* nested:/);
  });

  it("never takes the user's checkout for a worktree that lost its link", async () => {
    const lost = join(rig.root, '.worktrees');
    await nodeFs.mkdir(lost);
    await rig.repo.write({ 'private.txt': 'private\n' });
    const result = await rig.collect('task', lost, base);
    expect(result).toMatchObject({ failure: { kind: 'agent-error' } });
    await nodeFs.rm(at('.git'));
    expect(await problem()).toContain('no longer a checkout of this repository');
    await inside('init', '--quiet');
    expect(await problem()).toContain('no longer a checkout of this repository');
  });

  it('does not lose commits on a branch the agent walked away from', async () => {
    await write('a.txt', 'a\n');
    await inside('add', '.');
    await inside('commit', '--quiet', '-m', 'work');
    await inside('checkout', '--quiet', '--detach', base);
    const result = await makeCandidate({
      ...{ git: rig.git, fs: rig.fs, root: rig.root, worktree, base },
      ...{ run: 'PEXEC-1' as never, task: 'task' as never, fence: 1, message: 'm\n' },
      branch: 'refs/heads/agent-1-task',
    });
    expect(result).toMatchObject({ failure: { kind: 'agent-error' } });
  });

  describe('with the stamp of an index nobody had touched', () => {
    const index = (): string => join(rig.root, '.git/worktrees/agent-1-task/index');
    const collectFresh = async (stamp: string | null): Promise<readonly string[]> => {
      const result = await rig.collect('task', worktree, base, 1, stamp);
      if ('failure' in result) throw new Error(JSON.stringify(result.failure));
      return result.paths;
    };

    it('sees an edit of the same length made right after the checkout', async () => {
      const stamp = await rig.fs.stamp(index());
      await write('edited.txt', 'BEFORE\n');
      await write('new.txt', 'new\n');
      expect(await collectFresh(stamp)).toEqual(['edited.txt', 'new.txt']);
      expect(await rig.fs.stamp(index())).toBe(stamp);
      expect(await inside('status', '--porcelain')).toContain('M edited.txt\n?? new.txt');
    });

    it('sees what an agent hid from git after that', async () => {
      const stamp = await rig.fs.stamp(index());
      await inside('update-index', '--assume-unchanged', 'edited.txt');
      await inside('update-index', '--skip-worktree', 'kept.txt');
      await write('edited.txt', 'hidden\n');
      await write('kept.txt', 'hidden too\n');
      expect(await collectFresh(stamp)).toEqual(['edited.txt', 'kept.txt']);
    });

    it('takes in a commit made without the index', async () => {
      const stamp = await rig.fs.stamp(index());
      await write('new.txt', 'new\n');
      const other = await inside('commit-tree', '-p', base, '-m', 'other', `${base}^{tree}`);
      await inside('update-ref', 'HEAD', other);
      expect(await collectFresh(stamp)).toEqual(['new.txt']);
    });
  });

  it('runs no hook of the repository', async () => {
    const hook = join(rig.root, '.git/hooks/reference-transaction');
    await nodeFs.writeFile(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await write('a.txt', 'a\n');
    expect((await made()).paths).toEqual(['a.txt']);
  });
});
