import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import type { WorktreePool } from './worktree-pool';
import { sweepWorktrees } from './worktree-sweep';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('the worktree of an attempt that died', () => {
  let rig: WorktreeRig;
  let next: WorktreePool;
  let path: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({
      'a.txt': 'one\n',
      'b.txt': 'two\n',
      '.gitignore': 'build/\n',
    });
    path = (await make(rig.pool)).path;
    next = rig.newPool();
  });
  afterEach(async () => {
    await next.close();
    await rig.pool.close();
    await rig.cleanup();
  });

  const make = (pool: WorktreePool, task = 'landing', commit = rig.head) =>
    pool.create({ slot: 1, task: parseTaskId(task), commit, token: 2 });
  const inTree = (...names: readonly string[]): string => join(path, ...names);
  const inode = (name: string): number => statSync(inTree(name)).ino;
  /** Sweeps, and saves what is left for the next attempts. */
  const sweep = async (pool = next) => {
    const { released, left } = await sweepWorktrees(pool, [], ({ kind }) => kind === 'agent');
    const saved = await Promise.all(left.map((one) => one.save()));
    return {
      released: [...released, ...saved.flatMap((one) => one.released)],
      warm: saved.flatMap(({ warm }) => warm),
    };
  };
  const keep = async () => {
    const swept = await sweep();
    next.keepWarm(swept.warm);
    return swept;
  };
  const dirty = (): void => {
    writeFileSync(inTree('a.txt'), 'precious\n');
    writeFileSync(inTree('new.txt'), 'precious too\n');
    mkdirSync(inTree('build/deep'), { recursive: true });
    writeFileSync(inTree('build/deep/out'), 'ignored\n');
    rmSync(inTree('b.txt'));
  };
  const asFresh = async (): Promise<void> => {
    expect(readdirSync(path).sort()).toEqual(['.git', '.gitignore', 'a.txt', 'b.txt']);
    expect(readFileSync(inTree('a.txt'), 'utf8')).toBe('one\n');
    expect(await rig.git(['status', '--porcelain', '--ignored'], path)).toBe('');
  };

  it('is saved and taken over by the next attempt, as if it were fresh; what was not touched is not written', async () => {
    dirty();
    const untouched = inode('.gitignore');
    const { warm, released } = await keep();
    expect(released).toEqual([]);
    expect(warm).toMatchObject([{ path, task: 'landing' }]);
    expect(await rig.git(['show', `${warm[0]?.saved ?? ''}:new.txt`])).toBe('precious too');
    await make(next);
    await asFresh();
    expect(inode('.gitignore')).toBe(untouched);
    expect(next.freshIndex(path)).not.toBeNull();
    expect(await rig.git(['symbolic-ref', 'HEAD'], path)).toBe('refs/heads/agent-1-landing');
  });

  it('keeps nothing that the agent did to its index, its entry and its branch', async () => {
    await rig.git(['update-index', '--assume-unchanged', 'b.txt'], path);
    writeFileSync(inTree('b.txt'), 'hidden\n');
    await rig.git(['commit', '--quiet', '--allow-empty', '--message=mine'], path);
    const tip = await rig.git(['rev-parse', 'HEAD'], path);
    writeFileSync(
      join(rig.root, '.git/worktrees/agent-1/config.worktree'),
      '[core]\n\tbare = true\n',
    );
    const { warm } = await keep();
    await make(next);
    await asFresh();
    expect(readFileSync(inTree('b.txt'), 'utf8')).toBe('two\n');
    expect(await rig.git(['rev-parse', 'HEAD'], path)).toBe(rig.head);
    expect(existsSync(join(rig.root, '.git/worktrees/agent-1/config.worktree'))).toBe(false);
    const saved = warm[0]?.saved ?? '';
    expect(await rig.git(['show', `${saved}:b.txt`])).toBe('hidden');
    expect(await rig.git(['rev-parse', `${saved}^`])).toBe(tip);
  });

  it('is taken over on a base that has moved on', async () => {
    dirty();
    await keep();
    await rig.write({ 'c.txt': 'three\n' });
    await rig.git(['add', 'c.txt']);
    await rig.git(['commit', '--quiet', '--message=more']);
    await make(next, 'landing', await rig.git(['rev-parse', 'HEAD']));
    expect(readFileSync(inTree('c.txt'), 'utf8')).toBe('three\n');
    expect(await rig.git(['status', '--porcelain', '--ignored'], path)).toBe('');
  });

  it('is released when another task gets its slot, or nobody does', async () => {
    dirty();
    await keep();
    await make(next, 'other');
    await asFresh();
    await next.remove(path);
    const again = await make(rig.pool);
    writeFileSync(join(again.path, 'late.txt'), 'late\n');
    const last = rig.newPool();
    last.keepWarm((await sweep(last)).warm);
    await last.close();
    expect(existsSync(path)).toBe(false);
    expect(await rig.branches()).toEqual(['main']);
    const left = readdirSync(join(rig.root, '.git/parallel'));
    expect(left.filter((name) => name.startsWith('index'))).toEqual([]);
  });

  it('is released as before when it cannot be saved in full', async () => {
    await rig.git(['init', '--quiet', 'inner'], path);
    writeFileSync(inTree('inner/x'), 'x');
    await rig.git(['add', 'x'], inTree('inner'));
    await rig.git(
      ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'],
      inTree('inner'),
    );
    const { warm, released } = await keep();
    expect([warm, released[0]?.release.kind]).toEqual([[], 'kept']);
  });
});
