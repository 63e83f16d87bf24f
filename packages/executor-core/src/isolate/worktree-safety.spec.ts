import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { GitError } from '../ports/git';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('removing a worktree', () => {
  let rig: WorktreeRig;
  let path: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n', 'b.txt': 'two\n', '.gitignore': 'out\n' });
    const request = { slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 7 };
    path = (await rig.pool.create(request)).path;
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const edit = (name: string, content: string) => writeFile(join(path, name), content);
  const commitAll = async (message: string) => {
    await rig.git(['add', '--all'], path);
    await rig.git(['commit', '--quiet', '--message', message], path);
    return rig.git(['rev-parse', 'HEAD'], path);
  };
  const savedRef = async () => {
    const release = await rig.pool.remove(path);
    if (release.kind !== 'removed' || release.saved === null)
      throw new Error(JSON.stringify(release));
    expect(await rig.kept()).toContain(release.saved);
    return release.saved;
  };

  it('leaves no trace of one in which nothing was done', async () => {
    await edit('out', 'ignored');
    expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
    expect(existsSync(path)).toBe(false);
    expect(existsSync(join(rig.root, '.git/worktrees/agent-1'))).toBe(false);
    expect(await rig.branches()).toEqual(['main']);
    expect(await rig.kept()).toEqual([]);
  });

  it('says that there was none when there is none', async () => {
    expect(await rig.pool.remove(rig.inBase('agent-9'))).toEqual({ kind: 'gone' });
  });

  it('saves changed, deleted and untracked files first', async () => {
    await edit('a.txt', 'changed\n');
    await edit('new ü.txt', 'new\n');
    await rm(join(path, 'b.txt'));
    const ref = await savedRef();
    expect(await rig.git(['show', `${ref}:a.txt`])).toBe('changed');
    expect(await rig.git(['show', `${ref}:new ü.txt`])).toBe('new');
    expect(await rig.git(['ls-tree', '--name-only', ref])).not.toContain('b.txt');
    expect(await rig.git(['rev-parse', `${ref}^`])).toBe(rig.head);
    expect(await rig.branches()).toEqual(['main']);
  });

  it('saves unlanded commits, and files on top of them', async () => {
    await edit('a.txt', 'committed\n');
    const tip = await commitAll('by the agent');
    await edit('b.txt', 'not committed\n');
    const ref = await savedRef();
    expect(await rig.git(['rev-parse', `${ref}^`])).toBe(tip);
    expect(await rig.git(['show', `${ref}:b.txt`])).toBe('not committed');
  });

  it('saves commits made on a detached HEAD, and keeps a branch the agent left behind', async () => {
    await edit('a.txt', 'on the branch\n');
    const tip = await commitAll('on the branch');
    await rig.git(['switch', '--quiet', '--detach', rig.head], path);
    await edit('b.txt', 'detached\n');
    const detached = await commitAll('detached');
    const ref = await savedRef();
    expect(await rig.git(['rev-parse', ref])).toBe(detached);
    expect(await rig.git(['rev-parse', 'agent-1-landing'])).toBe(tip);
  });

  it('saves nothing twice when the commits have landed', async () => {
    await edit('a.txt', 'landed\n');
    const tip = await commitAll('landed');
    await rig.git(['merge', '--quiet', '--no-ff', '-m', 'land', tip]);
    const landed = [await rig.git(['rev-parse', 'HEAD'])];
    expect(await rig.pool.remove(path, landed)).toEqual({ kind: 'removed', saved: null });
    expect(await rig.branches()).toEqual(['main']);
  });

  it('saves nothing twice when a candidate has exactly these files', async () => {
    await edit('a.txt', 'step 1\n');
    await commitAll('step 1');
    await edit('a.txt', 'step 2\n');
    await commitAll('step 2');
    const tree = await rig.git(['rev-parse', 'HEAD^{tree}'], path);
    const candidate = await rig.git(['commit-tree', '-p', rig.head, '-m', 'squashed', tree]);
    await rig.git(['update-ref', 'refs/parallel/PEXEC-1/landing/7', candidate]);
    expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
    expect(await rig.kept()).toEqual(['refs/parallel/PEXEC-1/landing/7']);
    expect(await rig.branches()).toEqual(['main']);
  });

  it.each(['left in files', 'committed'])(
    'does not take a checkpoint of work that was %s for a proof, for it will be dropped',
    async (how) => {
      await edit('a.txt', 'changed\n');
      if (how === 'committed') await commitAll('mine');
      const ref = 'refs/parallel/PEXEC-1/landing/wip-1';
      const request = { path, base: rig.head, ref, previous: null, message: 'checkpoint' };
      expect((await rig.pool.snapshot(request)).changed).toBe(true);
      const saved = await savedRef();
      expect(saved).toContain('/salvage-');
      expect(await rig.git(['show', `${saved}:a.txt`])).toBe('changed');
    },
  );

  it('believes that work is kept elsewhere only when git confirms the ref', async () => {
    await edit('a.txt', 'changed\n');
    const wrong = { ref: 'refs/parallel/PEXEC-1/landing/7', commit: rig.head };
    const release = await rig.pool.remove(path, [], wrong);
    expect(release.kind === 'removed' && release.saved).toContain('salvage-');
    const request = { slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 8 };
    path = (await rig.pool.create(request)).path;
    await edit('a.txt', 'changed again\n');
    await rig.git(['update-ref', wrong.ref, wrong.commit]);
    expect(await rig.pool.remove(path, [], wrong)).toEqual({ kind: 'removed', saved: null });
  });

  it('is not fooled by files that git was told to take for unchanged', async () => {
    await rig.git(['update-index', '--assume-unchanged', 'a.txt'], path);
    await rig.git(['update-index', '--skip-worktree', 'b.txt'], path);
    await edit('a.txt', 'hidden 1\n');
    await edit('b.txt', 'hidden 2\n');
    const ref = await savedRef();
    expect(await rig.git(['show', `${ref}:a.txt`])).toBe('hidden 1');
    expect(await rig.git(['show', `${ref}:b.txt`])).toBe('hidden 2');
  });

  it('is not fooled by a configuration that hides untracked files', async () => {
    await rig.git(['config', 'status.showUntrackedFiles', 'no']);
    await edit('new.txt', 'new\n');
    expect(await rig.git(['show', `${await savedRef()}:new.txt`])).toBe('new');
  });

  it('saves the right files when the worktree’s link to git is gone', async () => {
    await rig.write({ 'a.txt': 'of the main checkout\n' });
    await edit('new.txt', 'new\n');
    await rm(join(path, '.git'));
    const ref = await savedRef();
    expect(await rig.git(['show', `${ref}:a.txt`])).toBe('one');
    expect(await rig.git(['show', `${ref}:new.txt`])).toBe('new');
  });

  it('saves the files when git’s own entry of the worktree is gone', async () => {
    await edit('a.txt', 'changed\n');
    await rm(join(rig.root, '.git/worktrees/agent-1'), { recursive: true });
    expect(await rig.git(['show', `${await savedRef()}:a.txt`])).toBe('changed');
  });

  it('knows its worktree after an agent took the lock off', async () => {
    await rig.git(['worktree', 'unlock', path]);
    expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
  });

  it('keeps the folder when there is a repository inside, for git saves only its name', async () => {
    await mkdir(join(path, 'inner'));
    await rig.git(['init', '--quiet'], join(path, 'inner'));
    await edit('inner/precious.txt', 'precious\n');
    await edit('a.txt', 'changed\n');
    const release = await rig.pool.remove(path);
    if (release.kind !== 'kept') throw new Error(JSON.stringify(release));
    expect(release.reason).toContain('inner');
    expect(await readFile(`${release.path}.reason`, 'utf8')).toBe(`${release.reason}\n`);
    expect(await readFile(join(release.path, 'inner/precious.txt'), 'utf8')).toBe('precious\n');
    expect(await rig.git(['status', '--porcelain'], release.path)).toContain('M a.txt');
    const request = { slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 8 };
    expect(await rig.pool.create(request)).toEqual({ path, branch: 'agent-1-landing-1' });
    expect(await readFile(join(release.path, 'a.txt'), 'utf8')).toBe('changed\n');
  });

  it('keeps the folder of an inner repository with commits, too', async () => {
    await mkdir(join(path, 'inner'));
    await rig.git(['init', '--quiet'], join(path, 'inner'));
    const author = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    await rig.git(
      [...author, 'commit', '--quiet', '--allow-empty', '-m', 'x'],
      join(path, 'inner'),
    );
    expect(await rig.pool.remove(path)).toMatchObject({
      kind: 'kept',
      reason: 'inner is a repository of its own',
    });
  });

  it('keeps the folder when the agent made the worktree a repository of its own', async () => {
    await rm(join(path, '.git'));
    await rig.git(['init', '--quiet'], path);
    expect(await rig.pool.remove(path)).toMatchObject({ kind: 'kept' });
  });

  it.each(['add', 'write-tree', 'read-tree', 'commit-tree', 'update-ref', 'diff-files'])(
    'keeps the folder when git %s fails',
    async (broken) => {
      const { git } = rig.options;
      const run: typeof git.run = (args, options) =>
        args.includes(broken)
          ? Promise.resolve({ exitCode: 128, stdout: '', stderr: 'fatal: disk on fire' })
          : git.run(args, options);
      const text: typeof git.text = async (args, options) => {
        if (args.includes(broken)) throw new Error('fatal: disk on fire');
        return git.text(args, options);
      };
      const pool = createWorktreePool({ ...rig.options, git: { ...git, run, text } });
      await edit('a.txt', 'changed\n');
      // An index that nobody touched is used as it is, without read-tree.
      await rig.git(['add', 'a.txt'], path);
      const release = await pool.remove(path);
      if (release.kind !== 'kept') throw new Error(JSON.stringify(release));
      expect(await readFile(join(release.path, 'a.txt'), 'utf8')).toBe('changed\n');
    },
  );

  it('asks a git once more that was killed in the midst of saving', async () => {
    const { git } = rig.options;
    let kills = 1;
    const run: typeof git.run = (args, options) =>
      args.includes('add') && kills-- > 0
        ? Promise.resolve({ exitCode: -1, stdout: '', stderr: '' })
        : git.run(args, options);
    const text: typeof git.text = async (args, options) => {
      const result = await run(args, options);
      if (result.exitCode !== 0) throw new GitError(args, result);
      return result.stdout.trimEnd();
    };
    const pool = createWorktreePool({ ...rig.options, git: { ...git, run, text } });
    await edit('a.txt', 'changed\n');
    expect(await pool.remove(path)).toMatchObject({
      kind: 'removed',
      saved: expect.any(String) as string,
    });
    expect(kills).toBeLessThan(1);
  });

  it('saves when git cannot tell whether a commit has landed', async () => {
    await edit('a.txt', 'changed\n');
    const tip = await commitAll('unlanded');
    const release = await rig.pool.remove(path, ['0123456789012345678901234567890123456789']);
    const saved = `refs/parallel/PEXEC-1/landing/salvage-${tip.slice(0, 8)}`;
    expect(release).toEqual({ kind: 'removed', saved });
  });

  it('refuses the main checkout and a foreign worktree', async () => {
    const foreign = join(rig.root, '..', 'mine');
    await rig.git(['worktree', 'add', '--quiet', '--detach', foreign]);
    await expect(rig.pool.remove(foreign)).rejects.toThrow(UserError);
    await expect(rig.pool.remove(rig.root)).rejects.toThrow(UserError);
    expect(existsSync(join(foreign, 'a.txt'))).toBe(true);
  });

  it('does not delete a branch that somebody else has checked out', async () => {
    await rig.git(['switch', '--quiet', '--detach'], path);
    await rig.git(['switch', '--quiet', 'agent-1-landing']);
    expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
    expect(await rig.branches()).toEqual(['agent-1-landing', 'main']);
  });
});
