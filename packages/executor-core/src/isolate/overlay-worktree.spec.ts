import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makeCandidate } from '../merge/candidate';
import { parseTaskId } from '../model/ids';
import { canMountOverlay } from '../testing/can-mount-overlay';
import { mortalTools } from '../testing/mortal-tools';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';
import { sweepWorktrees } from './worktree-sweep';

jest.setTimeout(60_000);

const TASK = parseTaskId('landing');
/** Every n-th call is the last of a process; 1 takes two minutes. */
const STRIDE = Number(process.env['PE_STRIDE'] ?? 4);

(canMountOverlay() ? describe : describe.skip)('an overlay worktree', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'dir/a.txt': 'one\n', 'dir/b.txt': 'two\n', 'c.txt': 'three\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    for (const at of await mounted()) await rig.options.mounts?.unmount(at);
    await rig.cleanup();
  });

  const mounted = async () => (await rig.options.mounts?.below(rig.inBase())) ?? [];
  const request = (slot = 1, commit = rig.head) =>
    ({ slot, task: TASK, commit, token: 7, way: { kind: 'overlay' } }) as const;
  const create = async (slot?: number, commit?: string) =>
    (await rig.pool.create(request(slot, commit))).path;
  const bases = async () =>
    (await readdir(rig.inBase())).filter((name) => name.startsWith('base-'));
  const changes = () => readdir(rig.inBase('.overlay')).catch(() => []);
  const filesOf = (ref = '') => rig.git(['diff', '--name-status', '--no-renames', rig.head, ref]);

  it('shows all files, on its own branch, and is clean', async () => {
    const path = await create();
    expect(await readFile(join(path, 'dir/a.txt'), 'utf8')).toBe('one\n');
    expect(await rig.git(['status', '--porcelain', '--branch'], path)).toBe('## agent-1-landing');
    expect(await mounted()).toEqual([path]);
  });

  it('keeps what is written in one from every other and from what they show', async () => {
    const [one, other] = [await create(1), await create(2)];
    await writeFile(join(one, 'dir/a.txt'), 'changed\n');
    await rm(join(one, 'c.txt'));
    await rename(join(one, 'dir'), join(one, 'moved'));
    expect(await rig.git(['status', '--porcelain'], other)).toBe('');
    const [base = ''] = await bases();
    expect(await bases()).toHaveLength(1);
    expect(await rig.git(['status', '--porcelain'], rig.inBase(base))).toBe('');
  });

  it('has an index of its own: what is written into it in place reaches no other', async () => {
    const [one, other] = [await create(1), await create(2)];
    const indexOf = (at: string) => rig.git(['rev-parse', '--absolute-git-dir'], at);
    await writeFile(join(await indexOf(one), 'index'), 'spoilt', { flag: 'r+' });
    await expect(rig.git(['status'], one)).rejects.toThrow();
    expect(await rig.git(['status', '--porcelain'], other)).toBe('');
    expect(await rig.git(['status', '--porcelain'], await create(3))).toBe('');
  });

  it('starts from a later commit than the one that is shown', async () => {
    await create(1);
    const commit = await rig.commit({ 'dir/a.txt': 'landed\n', 'new.txt': 'x\n' }, 'landed');
    const path = await create(2, commit);
    expect(await readFile(join(path, 'dir/a.txt'), 'utf8')).toBe('landed\n');
    expect(await rig.git(['status', '--porcelain'], path)).toBe('');
    expect(await bases()).toHaveLength(1);
  });

  it('hands in what its agent did, committed or not', async () => {
    const path = await create();
    await writeFile(join(path, 'dir/a.txt'), 'changed\n');
    await rig.git(['commit', '--quiet', '--all', '-m', 'x'], path);
    await mkdir(join(path, 'new'));
    await writeFile(join(path, 'new/n.txt'), 'new\n');
    await rm(join(path, 'c.txt'));
    const made = await makeCandidate({
      ...rig.options,
      run: rig.options.runId,
      task: TASK,
      worktree: path,
      base: rig.head,
      fence: 7,
      message: 'x\n',
      freshIndex: rig.pool.freshIndex(path),
    });
    expect(made).toMatchObject({ paths: ['c.txt', 'dir/a.txt', 'new/n.txt'] });
  });

  it('is unmounted and moved to the trash when it is given back, its work saved', async () => {
    const path = await create();
    await writeFile(join(path, 'dir/a.txt'), 'changed\n');
    const release = await rig.pool.remove(path);
    expect(await filesOf(release.kind === 'removed' ? (release.saved ?? '') : '')).toBe(
      'M\tdir/a.txt',
    );
    expect(await mounted()).toEqual([]);
    expect(existsSync(path)).toBe(false);
    expect(await changes()).toEqual([]);
  });

  it('goes also while a program stands in it', async () => {
    const path = await create();
    const stander = spawn('sleep', ['60'], { cwd: path });
    try {
      await once(stander, 'spawn');
      expect(await rig.pool.remove(path)).toEqual({ kind: 'removed', saved: null });
      expect(await mounted()).toEqual([]);
    } finally {
      stander.kill('SIGKILL');
    }
  });

  it('is saved by a sweep after its process was killed, with nothing left of it', async () => {
    await writeFile(join(await create(1), 'dir/a.txt'), 'changed\n');
    await create(2);
    const sweep = await sweepWorktrees(rig.newPool());
    expect(sweep.released.map(({ release }) => release.kind)).toEqual(['removed', 'removed']);
    const [ref = '', ...others] = await rig.kept();
    expect(others).toEqual([]);
    expect(await filesOf(ref)).toBe('M\tdir/a.txt');
    expect([await mounted(), await bases(), await changes()]).toEqual([[], [], []]);
    expect((await sweepWorktrees(rig.newPool())).released).toEqual([]);
  });

  it('is saved also after a restart of the machine, which takes every mount down', async () => {
    const path = await create();
    await writeFile(join(path, 'dir/a.txt'), 'changed\n');
    await rig.options.mounts?.unmount(path);
    await sweepWorktrees(rig.newPool());
    const [ref = ''] = await rig.kept();
    expect(await filesOf(ref)).toBe('M\tdir/a.txt');
    expect([await mounted(), await bases(), await changes()]).toEqual([[], [], []]);
  });

  it('is left whole, and shown, when it cannot be saved', async () => {
    const path = await create();
    await mkdir(join(path, 'inner'));
    await rig.git(['init', '--quiet'], join(path, 'inner'));
    await rig.git(['config', 'user.name', 'x'], join(path, 'inner'));
    await rig.git(['config', 'user.email', 'x@y'], join(path, 'inner'));
    await rig.git(['commit', '--quiet', '--allow-empty', '-m', 'x'], join(path, 'inner'));
    const release = await rig.pool.remove(path);
    const kept = release.kind === 'kept' ? release.path : '';
    expect(existsSync(join(kept, 'inner/.git'))).toBe(true);
    expect(await mounted()).toEqual([kept]);
    await rig.pool.close();
    expect(await bases()).toHaveLength(1);
    await rm(join(kept, 'inner'), { recursive: true });
    await sweepWorktrees(rig.newPool());
    expect([await mounted(), await bases(), await changes()]).toEqual([[], [], []]);
  });

  it('is cleared away whatever call of the process is its last', async () => {
    for (let lives = 0, survived = false; !survived; lives += STRIDE) {
      const pool = dyingPool(lives);
      survived = await pool.create(request()).then(
        () => true,
        () => false,
      );
      await sweepWorktrees(rig.newPool());
      expect([lives, await mounted(), await bases(), await changes()]).toEqual([lives, [], [], []]);
      expect(await rig.git(['worktree', 'list', '--porcelain'])).not.toContain('agent-1');
    }
  });

  it('loses nothing whatever call is the last while it is given back', async () => {
    for (let lives = 0, survived = false; !survived; lives += STRIDE) {
      const path = await create();
      await writeFile(join(path, 'dir/a.txt'), `${lives}\n`);
      survived = await dyingPool(lives)
        .remove(path)
        .then(
          () => true,
          () => false,
        );
      await sweepWorktrees(rig.newPool());
      const contents = await Promise.all(
        (await rig.kept()).map((ref) => rig.git(['show', `${ref}:dir/a.txt`])),
      );
      expect(contents).toContain(String(lives));
      expect([lives, await mounted(), await changes()]).toEqual([lives, [], []]);
    }
  });

  const dyingPool = (lives: number) => createWorktreePool(mortalTools(rig.options, lives));
});
