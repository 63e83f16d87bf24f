import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return {
    given,
    give: () => {
      give();
    },
  };
}

describe('createWorktreePool', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({
      'src/a.txt': 'one\n',
      'src/ü b.txt': 'two\n',
      '.gitignore': 'out\n',
    });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const request = (slot: number, task = 'landing', commit = rig.head) => ({
    slot,
    task: parseTaskId(task),
    commit,
    token: 7,
  });

  it('makes a worktree with all files of the commit on a branch named after slot and task', async () => {
    const made = await rig.pool.create(request(3));
    expect(made).toEqual({ path: rig.inBase('agent-3'), branch: 'agent-3-landing' });
    expect(await readFile(join(made.path, 'src/ü b.txt'), 'utf8')).toBe('two\n');
    expect(await rig.git(['status', '--porcelain', '--branch'], made.path)).toBe(
      '## agent-3-landing',
    );
    expect(await rig.git(['rev-parse', 'HEAD'], made.path)).toBe(rig.head);
  });

  it('makes the next worktree of a slot beside one whose lease is held still', async () => {
    const held = new Set([7]);
    const isHeld = (token: number) => Promise.resolve(held.has(token));
    const first = await rig.pool.create({ ...request(1, 'a'), isHeld });
    await writeFile(join(first.path, 'src/a.txt'), 'work\n');
    const second = await rig.pool.create({ ...request(1, 'b'), token: 8, isHeld });
    held.add(8);
    const third = await rig.newPool().create({ ...request(1, 'c'), token: 9, isHeld });
    expect([first, second, third].map(({ path }) => path)).toEqual(
      ['agent-1', 'agent-1.2', 'agent-1.3'].map((name) => rig.inBase(name)),
    );
    expect(await readFile(join(first.path, 'src/a.txt'), 'utf8')).toBe('work\n');
    held.delete(7);
    const fourth = await rig.pool.create({ ...request(1, 'd'), token: 10, isHeld });
    expect(fourth.path).toBe(first.path);
    // What nobody holds any more is saved before it goes.
    const saved = await rig.git(['for-each-ref', '--format=%(refname)', 'refs/parallel/PEXEC-1/a']);
    expect(await rig.git(['show', `${saved}:src/a.txt`])).toBe('work');
  });

  // The end of the removal took the new entry for a second one of its own.
  it('leaves alone what the next agent of a slot has made where the last one was', async () => {
    const first = await rig.pool.create(request(1, 'a'));
    const { fs } = rig.options;
    const entry = join(rig.root, '.git/worktrees/agent-1');
    let next: string | null = null;
    const rename: typeof fs.rename = async (from, to) => {
      const renamed = await fs.rename(from, to);
      if (from !== entry || next !== null) return renamed;
      const isHeld = () => Promise.resolve(true);
      next = (await rig.pool.create({ ...request(1, 'b'), token: 8, isHeld })).path;
      return renamed;
    };
    const other = createWorktreePool({ ...rig.options, fs: { ...fs, rename } });
    expect(await other.remove(first.path)).toEqual({ kind: 'removed', saved: null });
    expect(next).toBe(first.path);
    expect(await rig.git(['status', '--porcelain', '--branch'], first.path)).toBe('## agent-1-b');
    await other.close();
  });

  it('leaves alone a spare one on its way to the next agent of the slot', async () => {
    const first = await rig.pool.create(request(1, 'a'));
    const { fs } = rig.options;
    const entry = join(rig.root, '.git/worktrees/agent-1');
    const isMoved = signal();
    const isRemoved = signal();
    // Its tree is in the place, its entry does not say so yet.
    const replace: typeof fs.replace = async (path, text) => {
      if (path.endsWith('gitdir')) {
        isMoved.give();
        await isRemoved.given;
      }
      await fs.replace(path, text);
    };
    const next = createWorktreePool({ ...rig.options, fs: { ...fs, replace } });
    await next.addSpare(rig.head, 1);
    const created: Promise<{ readonly path: string }>[] = [];
    const rename: typeof fs.rename = async (from, to) => {
      const renamed = await fs.rename(from, to);
      if (from === entry) {
        created.push(next.create({ ...request(1, 'b'), token: 8 }));
        await isMoved.given;
      }
      return renamed;
    };
    await createWorktreePool({ ...rig.options, fs: { ...fs, rename } }).remove(first.path);
    isRemoved.give();
    expect(await Promise.all(created)).toMatchObject([{ path: first.path }]);
    expect(await rig.git(['status', '--porcelain', '--branch'], first.path)).toBe('## agent-1-b');
  });

  it('makes 40 worktrees at once from several pools without one failure', async () => {
    const pools = [rig.pool, rig.newPool(), rig.newPool(), rig.newPool()];
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, n) => (pools[n % 4] ?? rig.pool).create(request(n + 1))),
    );
    for (const { path } of made) expect(existsSync(join(path, 'src/a.txt'))).toBe(true);
    expect(await rig.pool.list()).toHaveLength(40);
    expect(await rig.branches()).toHaveLength(41);
  }, 60_000);

  it('leaves the main checkout clean and its configuration untouched', async () => {
    const config = await readFile(join(rig.root, '.git/config'), 'utf8');
    await rig.pool.create(request(1));
    expect(await rig.git(['status', '--porcelain', '--untracked-files=all'])).toBe('');
    expect(await readFile(join(rig.root, '.git/config'), 'utf8')).toBe(config);
    expect((await stat(rig.inBase())).mode & 0o777).toBe(0o700);
  });

  it('locks worktrees with a reason that names the run and the task', async () => {
    await rig.pool.create(request(3));
    const listed = await rig.git(['worktree', 'list', '--porcelain']);
    expect(listed).toContain('locked parallel PEXEC-1: landing on agent-3-landing (lease 7)');
    await rig.git(['worktree', 'prune', '--expire=now']);
    expect(await rig.pool.list()).toEqual([
      {
        path: rig.inBase('agent-3'),
        owner: {
          kind: 'agent',
          run: 'PEXEC-1',
          task: 'landing',
          branch: 'agent-3-landing',
          token: 7,
        },
      },
    ]);
  });

  it('saves what a leftover worktree holds before it makes a new one in its place', async () => {
    const { path } = await rig.pool.create(request(1));
    await writeFile(join(path, 'new.txt'), 'precious\n');
    const again = await rig.pool.create(request(1, 'other'));
    expect(existsSync(join(again.path, 'new.txt'))).toBe(false);
    const [ref = ''] = await rig.kept();
    expect(ref).toMatch(/^refs\/parallel\/PEXEC-1\/landing\/salvage-[0-9a-f]{8}$/);
    expect(await rig.git(['show', `${ref}:new.txt`])).toBe('precious');
  });

  it('saves the tip of a branch of the same name before it moves it', async () => {
    await rig.git(['switch', '--quiet', '-c', 'agent-1-landing']);
    const tip = await rig.commit({ 'src/a.txt': 'unlanded\n' }, 'unlanded');
    await rig.git(['switch', '--quiet', 'main']);
    await rig.pool.create(request(1));
    expect(await rig.kept()).toEqual([`refs/parallel/PEXEC-1/landing/salvage-${tip.slice(0, 8)}`]);
    expect(await rig.git(['rev-parse', 'agent-1-landing'])).toBe(rig.head);
  });

  it('does not save a tip that is part of the new base', async () => {
    await rig.git(['branch', 'agent-1-landing']);
    const commit = await rig.commit({ 'src/a.txt': 'landed\n' }, 'landed');
    await rig.pool.create(request(1, 'landing', commit));
    expect(await rig.kept()).toEqual([]);
  });

  it('takes another branch name when a foreign worktree is on the wanted one', async () => {
    const foreign = join(rig.root, '..', 'mine');
    await rig.git(['worktree', 'add', '--quiet', '-b', 'agent-1-landing', foreign]);
    const made = await rig.pool.create(request(1));
    expect(made.branch).toBe('agent-1-landing-1');
    expect(await rig.git(['symbolic-ref', '--short', 'HEAD'], foreign)).toBe('agent-1-landing');
  });

  it('refuses a folder in its way that it did not make, and leaves it alone', async () => {
    await mkdir(rig.inBase('agent-1'), { recursive: true });
    await writeFile(rig.inBase('agent-1', 'mine.txt'), 'mine');
    await expect(rig.pool.create(request(1))).rejects.toThrow(UserError);
    await rig.git(['worktree', 'add', '--quiet', '--detach', rig.inBase('agent-2')]);
    await expect(rig.pool.create(request(2))).rejects.toThrow(UserError);
    expect(await readFile(rig.inBase('agent-1', 'mine.txt'), 'utf8')).toBe('mine');
    expect(existsSync(rig.inBase('agent-2', 'src/a.txt'))).toBe(true);
  });

  it('makes the worktree again after somebody removed its folder by hand', async () => {
    const { path } = await rig.pool.create(request(1));
    await rm(path, { recursive: true });
    await rig.pool.prune();
    expect(await rig.git(['worktree', 'list'])).not.toContain('agent-1');
    await rig.pool.create(request(2));
    await rm(rig.inBase('agent-2'), { recursive: true });
    expect((await rig.pool.create(request(2))).branch).toBe('agent-2-landing');
  });

  it('refuses a base folder that is a link leading elsewhere', async () => {
    const elsewhere = join(rig.root, '..', 'elsewhere');
    await mkdir(elsewhere);
    await symlink(elsewhere, rig.inBase());
    await expect(rig.pool.create(request(1))).rejects.toThrow(UserError);
    expect(existsSync(join(elsewhere, '.gitignore'))).toBe(false);
  });

  it('works in a base folder beside the repository', async () => {
    const base = join(rig.root, '..', 'wörk trees');
    const pool = createWorktreePool({ ...rig.options, base });
    const { path } = await pool.create(request(1));
    expect(path).toBe(join(base, 'agent-1'));
    expect(await pool.remove(path)).toEqual({ kind: 'removed', saved: null });
    await pool.close();
  });

  it('takes a tree away again that could not be completed', async () => {
    const { git } = rig.options;
    const run: typeof git.run = (args, options) =>
      args[0] === 'read-tree'
        ? Promise.resolve({ exitCode: 128, stdout: '', stderr: 'No space left on device' })
        : git.run(args, options);
    const pool = createWorktreePool({ ...rig.options, git: { ...git, run } });
    await expect(pool.create(request(1))).rejects.toThrow('No space left');
    expect(existsSync(rig.inBase('agent-1'))).toBe(false);
    expect(await rig.kept()).toEqual([]);
    expect(await rig.pool.list()).toEqual([]);
  });

  it('gives worktrees their own configuration where the repository has it, and tries again when a foreign git was in the way', async () => {
    await rig.git(['config', 'extensions.worktreeConfig', 'true']);
    await rig.git(['config', '--worktree', 'core.sparseCheckoutCone', 'true']);
    const { git } = rig.options;
    let refusals = 2;
    const run: typeof git.run = (args, options) =>
      args[1] === 'add' && refusals-- > 0
        ? Promise.resolve({ exitCode: 128, stdout: '', stderr: 'failed to read commondir' })
        : git.run(args, options);
    const pool = createWorktreePool({ ...rig.options, git: { ...git, run } });
    const { branch, path } = await pool.create(request(1));
    expect(branch).toBe('agent-1-landing');
    expect(await rig.git(['config', '--worktree', 'core.sparseCheckoutCone'], path)).toBe('true');
    refusals = 3;
    await expect(pool.create(request(2))).rejects.toThrow('failed to read commondir');
  });

  it('deletes removed trees by the time it is closed', async () => {
    const { path } = await rig.pool.create(request(1));
    await rig.pool.remove(path);
    await rig.pool.close();
    expect(await rig.options.fs.list(rig.inBase('.trash'))).toEqual([]);
  });

  it('does not touch the disk when it is closed unused', async () => {
    await rig.newPool().close();
    expect(existsSync(rig.inBase())).toBe(false);
  });

  describe('detached', () => {
    it('has exactly the files of the commit it was moved to, and keeps what git ignores', async () => {
      const { path } = await rig.pool.detached('verify-1', rig.head);
      expect(path).toBe(rig.inBase('verify-1'));
      const next = await rig.commit({ 'src/a.txt': 'next\n', 'src/c.txt': 'three\n' }, 'next');
      await writeFile(join(path, 'src/a.txt'), 'damaged by a check');
      await writeFile(join(path, 'litter'), '');
      await mkdir(join(path, 'out'));
      await writeFile(join(path, 'out/cache'), 'warm');
      await rig.git(['init', '--quiet', 'inner'], path);
      expect(await rig.pool.detached('verify-1', next)).toEqual({ path });
      expect(await rig.git(['status', '--porcelain', '--branch'], path)).toBe(
        '## HEAD (no branch)',
      );
      expect(await rig.git(['rev-parse', 'HEAD'], path)).toBe(next);
      expect(await readFile(join(path, 'out/cache'), 'utf8')).toBe('warm');
      expect(existsSync(join(path, 'inner'))).toBe(false);
    });

    it('moves the worktree of an earlier process, and makes it anew when git is stuck in it', async () => {
      const { path } = await rig.pool.detached('verify-1', rig.head);
      await writeFile(join(path, 'out'), 'warm');
      const next = await rig.commit({ 'src/a.txt': 'next\n' }, 'next');
      await rig.newPool().detached('verify-1', next);
      expect(existsSync(join(path, 'out'))).toBe(true);
      await writeFile(join(rig.root, '.git/worktrees/verify-1/index.lock'), '');
      await rig.newPool().detached('verify-1', rig.head);
      expect(existsSync(join(path, 'out'))).toBe(false);
      expect(await readFile(join(path, 'src/a.txt'), 'utf8')).toBe('one\n');
    });

    it('never cleans the main checkout when a check removed the worktree’s link to git', async () => {
      const { path } = await rig.pool.detached('verify-1', rig.head);
      await rm(join(path, '.git'));
      await rig.write({ 'src/a.txt': 'mine\n', 'untracked.txt': 'mine\n' });
      await rig.pool.detached('verify-1', rig.head);
      expect(await readFile(join(rig.root, 'src/a.txt'), 'utf8')).toBe('mine\n');
      expect(existsSync(join(rig.root, 'untracked.txt'))).toBe(true);
    });

    it('is removed without being saved, for nobody writes there', async () => {
      const { path } = await rig.pool.detached('verify-1', rig.head);
      await writeFile(join(path, 'litter'), '');
      expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
      expect(await rig.kept()).toEqual([]);
    });

    it('refuses any other kind of name', async () => {
      await expect(rig.pool.detached('../x', rig.head)).rejects.toThrow(TypeError);
    });
  });
});
