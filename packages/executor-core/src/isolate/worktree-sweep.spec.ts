import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseRunId, parseTaskId } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';
import { sweepWorktrees } from './worktree-sweep';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('sweepWorktrees', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const create = async (slot: number, task = 'landing') =>
    (await rig.pool.create({ slot, task: parseTaskId(task), commit: rig.head, token: 1 })).path;
  const admin = (...names: readonly string[]) => join(rig.root, '.git/worktrees', ...names);
  /** A later process, for another run. */
  const later = () => createWorktreePool({ ...rig.options, runId: parseRunId('PEXEC-2') });
  const sweep = () => sweepWorktrees(later());

  it('saves unlanded work under the run that made it and removes the worktrees', async () => {
    const path = await create(1);
    await writeFile(join(path, 'new.txt'), 'precious\n');
    await create(2, 'clean');
    await rig.pool.detached('verify-1', rig.head);
    const pool = later();
    const { released } = await sweepWorktrees(pool);
    expect(released.map(({ release }) => release.kind)).toEqual(['removed', 'removed', 'removed']);
    await pool.close();
    const kept = await rig.kept();
    expect(kept).toEqual([expect.stringMatching(/^refs\/parallel\/PEXEC-1\/landing\/salvage-/)]);
    expect(await rig.git(['show', `${kept.join('')}:new.txt`])).toBe('precious');
    expect(await rig.git(['worktree', 'list', '--porcelain'])).not.toContain('agent-');
    expect(await rig.branches()).toEqual(['main']);
    expect(await readdir(rig.inBase('.trash'))).toEqual([]);
  });

  it('changes nothing the second time', async () => {
    await writeFile(join(await create(1), 'new.txt'), 'precious\n');
    await sweep();
    const kept = await rig.kept();
    expect(await sweep()).toEqual({ released: [], left: [], foreign: [] });
    expect(await rig.kept()).toEqual(kept);
  });

  it('clears the indexes of looks at a worktree that were killed', async () => {
    await create(1);
    const state = join(rig.root, '.git/parallel');
    const left = 'index-8c2f5d3e-8b1c-4a7e-9d11-0123456789ab';
    for (const name of [left, `${left}.lock`, 'index-of-mine'])
      await writeFile(join(state, name), '');
    await sweep();
    const names = (await readdir(state)).filter((name) => name.startsWith('index'));
    expect(names).toEqual(['index-of-mine']);
  });

  it.each(['commondir', 'gitdir', 'HEAD'])(
    'mends a repository whose worktree was killed while git wrote its %s',
    async (file) => {
      const path = await create(1);
      await rm(admin('agent-1/parallel-ready'));
      await writeFile(admin('agent-1', file), '');
      const { released } = await sweep();
      expect(released.map((one) => one.path)).toEqual([path]);
      expect(existsSync(admin('agent-1'))).toBe(false);
      expect(existsSync(path)).toBe(false);
      await rig.git(['worktree', 'add', '--quiet', '--detach', join(rig.root, '..', 'works')]);
      expect(await create(1)).toBe(path);
    },
  );

  it('mends the state in which every git command about worktrees dies', async () => {
    await create(1);
    await writeFile(admin('agent-1/commondir'), '');
    await expect(rig.git(['worktree', 'list'])).rejects.toThrow();
    await sweep();
    expect(await rig.git(['worktree', 'list'])).toContain('[main]');
  });

  it('saves the files of a worktree whose entry is damaged', async () => {
    const path = await create(1);
    await writeFile(join(path, 'a.txt'), 'precious\n');
    await writeFile(admin('agent-1/commondir'), '');
    await sweep();
    const [ref = ''] = await rig.kept();
    expect(await rig.git(['show', `${ref}:a.txt`])).toBe('precious');
  });

  it('saves the files of a worktree beside another one of its slot whose entry has gone', async () => {
    await create(1);
    const isHeld = () => Promise.resolve(true);
    const request = { slot: 1, task: parseTaskId('next'), commit: rig.head, token: 8, isHeld };
    const { path } = await rig.pool.create(request);
    await writeFile(join(path, 'a.txt'), 'precious\n');
    await rm(admin('agent-1.2'), { recursive: true });
    await sweep();
    const kept = await Promise.all(
      (await rig.kept()).map((ref) => rig.git(['show', `${ref}:a.txt`])),
    );
    expect(kept).toContain('precious');
  });

  it('removes lock files that a killed git left in our places, and no others', async () => {
    await create(1);
    const foreign = join(rig.root, '..', 'mine');
    await rig.git(['worktree', 'add', '--quiet', '--detach', foreign]);
    const ours = [
      admin('agent-1/index.lock'),
      join(rig.root, '.git/refs/heads/agent-1-landing.lock'),
    ];
    const theirs = [admin('mine/index.lock'), join(rig.root, '.git/refs/heads/other.lock')];
    for (const file of [...ours, ...theirs]) await writeFile(file, '');
    await sweep();
    expect(ours.filter((file) => existsSync(file))).toEqual([]);
    expect(theirs.filter((file) => existsSync(file))).toEqual(theirs);
    expect(await rig.branches()).toEqual(['main']);
  });

  it('leaves foreign worktrees, branches and folders untouched, also in the base folder', async () => {
    await create(1);
    await rig.git(['worktree', 'add', '--quiet', '-b', 'mine', rig.inBase('feature')]);
    await rig.git(['worktree', 'add', '--quiet', '-b', 'agent-9-mine', rig.inBase('agent-9')]);
    await rig.git(['worktree', 'add', '--quiet', '--detach', join(rig.root, '..', 'stale')]);
    await rm(join(rig.root, '..', 'stale'), { recursive: true });
    await mkdir(rig.inBase('agent-8'));
    await writeFile(rig.inBase('agent-8/mine.txt'), 'mine');
    const { foreign } = await sweep();
    expect(foreign).toEqual([rig.inBase('agent-8'), rig.inBase('agent-9')]);
    for (const entry of ['feature', 'agent-9', 'stale'])
      expect(existsSync(admin(entry))).toBe(true);
    expect(existsSync(rig.inBase('feature/a.txt'))).toBe(true);
    expect(existsSync(rig.inBase('agent-8/mine.txt'))).toBe(true);
    expect(await rig.branches()).toEqual(['agent-9-mine', 'main', 'mine']);
  });

  it('finishes a removal that was cut short after the tree was moved', async () => {
    const path = await create(1);
    await mkdir(rig.inBase('.trash'));
    await rig.options.fs.rename(path, rig.inBase('.trash/x'));
    expect((await sweep()).released).toEqual([{ path, release: { kind: 'gone' } }]);
    expect(existsSync(admin('agent-1'))).toBe(false);
    expect(await rig.branches()).toEqual(['main']);
  });

  it('throws a tree away that was never complete, instead of saving its absence', async () => {
    const path = await create(1);
    await rm(admin('agent-1/parallel-ready'));
    await rm(join(path, 'a.txt'));
    await sweep();
    expect(existsSync(path)).toBe(false);
    expect(await rig.kept()).toEqual([]);
  });

  it('saves what could not be saved before, once git can, and keeps what still cannot', async () => {
    const { git } = rig.options;
    const text: typeof git.text = (args, options) =>
      args.includes('update-ref')
        ? Promise.reject(new Error('disk full'))
        : git.text(args, options);
    const poor = createWorktreePool({ ...rig.options, git: { ...git, text } });
    const kept: string[] = [];
    for (const slot of [1, 2]) {
      const path = await create(slot);
      await writeFile(join(path, 'a.txt'), `work of ${slot}\n`);
      const release = await poor.remove(path);
      if (release.kind !== 'kept') throw new Error(JSON.stringify(release));
      kept.push(release.path);
    }
    const [saveable = '', unsaveable = ''] = kept;
    await rig.git(['init', '--quiet', 'inner'], unsaveable);
    const { released } = await sweep();
    expect(released).toMatchObject([{ path: saveable, release: { kind: 'removed' } }]);
    expect(existsSync(saveable)).toBe(false);
    expect(await rig.kept()).toHaveLength(1);
    expect(existsSync(join(unsaveable, 'a.txt'))).toBe(true);
    expect((await sweep()).released).toEqual([]);
  });
});
