import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { SpareWorktrees } from './spare-worktrees';
import { createWorktreePool, type WorktreePool } from './worktree-pool';
import { sweepWorktrees } from './worktree-sweep';

jest.setTimeout(60_000);

describe('spare worktrees', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'src/a.txt': 'one\n', 'src/b.txt': 'two\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const request = (slot: number, commit = rig.head) => ({
    slot,
    task: parseTaskId('landing'),
    commit,
    token: 7,
  });
  const folders = async (): Promise<readonly string[]> =>
    (await readdir(rig.inBase())).filter((name) => !name.startsWith('.'));
  const commitMore = async (): Promise<string> => {
    await rig.write({ 'src/a.txt': 'changed\n', 'src/c.txt': 'three\n' });
    await rig.git(['rm', '-q', 'src/b.txt']);
    await rig.git(['add', '-A']);
    await rig.git(['commit', '-qm', 'more']);
    return rig.git(['rev-parse', 'HEAD']);
  };

  it('become the worktree of the next agent, like one made for it', async () => {
    expect(await rig.pool.addSpare(rig.head, 1)).toBe(true);
    const [spare = ''] = await folders();
    const made = await rig.pool.create(request(3));
    expect(made).toEqual({ path: rig.inBase('agent-3'), branch: 'agent-3-landing' });
    expect(await folders()).toEqual(['agent-3']);
    expect(existsSync(rig.inBase(spare))).toBe(false);
    expect(await readFile(join(made.path, 'src/b.txt'), 'utf8')).toBe('two\n');
    const status = await rig.git(['status', '--porcelain', '--branch'], made.path);
    expect(status).toBe('## agent-3-landing');
    const listed = await rig.git(['worktree', 'list', '--porcelain']);
    expect(listed).toContain('locked parallel PEXEC-1: landing on agent-3-landing (lease 7)');
    expect(listed).not.toContain('spare');
  });

  it('get the files of the commit that is wanted when it has moved on', async () => {
    await rig.pool.addSpare(rig.head, 1);
    const commit = await commitMore();
    const { path } = await rig.pool.create(request(1, commit));
    expect(await readdir(join(path, 'src'))).toEqual(['a.txt', 'c.txt']);
    expect(await readFile(join(path, 'src/a.txt'), 'utf8')).toBe('changed\n');
    expect(await rig.git(['status', '--porcelain'], path)).toBe('');
    expect(await rig.git(['rev-parse', 'HEAD'], path)).toBe(commit);
  });

  it('are no more than will be needed, and are gone when the pool closes', async () => {
    expect(await rig.pool.addSpare(rig.head, 2)).toBe(true);
    expect(await rig.pool.addSpare(rig.head, 2)).toBe(true);
    expect(await rig.pool.addSpare(rig.head, 2)).toBe(false);
    expect(await folders()).toHaveLength(2);
    await rig.pool.close();
    expect(await folders()).toEqual([]);
    expect(await readdir(join(rig.options.commonDir, 'worktrees'))).toEqual([]);
  });

  it('go in the end also when a full disk let them neither be made nor be taken away', async () => {
    const site = await rig.pool.site();
    let full = false;
    const fs = new Proxy(site.fs, {
      get: (real, name: keyof FileSystem) =>
        full ? () => Promise.reject(new Error('ENOSPC')) : real[name].bind(real),
    });
    const spares = new SpareWorktrees(
      () => {
        full = true;
        return Promise.reject(new Error('ENOSPC'));
      },
      () => true,
    );
    const onFullDisk = { ...site, fs };
    expect(await spares.add(onFullDisk, rig.head, 1)).toBe(false);
    expect(await folders()).toHaveLength(1);
    full = false;
    await spares.clear(onFullDisk);
    expect(await folders()).toEqual([]);
  });

  it('are few where the repository is large', async () => {
    const large: FileSystem = {
      ...rig.options.fs,
      size: (path) =>
        path.endsWith('index') ? Promise.resolve(1_000_000) : rig.options.fs.size(path),
    };
    const pool = createWorktreePool({ ...rig.options, fs: large });
    const added = [];
    for (let n = 0; n < 4; n += 1) added.push(await pool.addSpare(rig.head, 25));
    expect(added).toEqual([true, true, false, false]);
    await pool.close();
  });

  it('are done without when somebody removed them', async () => {
    await rig.pool.addSpare(rig.head, 1);
    const [spare = ''] = await folders();
    await rm(rig.inBase(spare), { recursive: true });
    const { path } = await rig.pool.create(request(2));
    expect(await rig.git(['status', '--porcelain', '--branch'], path)).toBe('## agent-2-landing');
    await rig.pool.remove(path);
    expect(await readdir(join(rig.options.commonDir, 'worktrees'))).toEqual([]);
  });

  it('are swept after a kill, and nothing is kept of them', async () => {
    await rig.pool.addSpare(rig.head, 1);
    const { released, foreign } = await sweepWorktrees(rig.newPool());
    expect(released.map(({ release }) => release)).toEqual([{ kind: 'removed', saved: null }]);
    expect(foreign).toEqual([]);
    expect(await folders()).toEqual([]);
  });

  it('of a process that was killed go when another pool closes, those of a living one stay', async () => {
    await rig.pool.addSpare(rig.head, 1);
    const close = (alive: boolean): Promise<void> =>
      createWorktreePool({ ...rig.options, isAlive: () => alive }).close();
    await close(true);
    expect(await folders()).toHaveLength(1);
    await close(false);
    expect(await folders()).toEqual([]);
    expect(await readdir(join(rig.options.commonDir, 'worktrees'))).toEqual([]);
  });

  it('leave nothing behind when a kill meets them at any step of becoming an agent’s', async () => {
    const steps = await stepsOf((pool) => pool.create(request(1)));
    expect(steps).toBeGreaterThan(4);
    for (let killed = 1; killed <= steps; killed += 1) {
      await stepsOf((pool) => pool.create(request(1)), killed);
      await sweepWorktrees(rig.newPool());
      await rig.newPool().close();
      expect({ killed, folders: await folders() }).toEqual({ killed, folders: [] });
      expect(await readdir(join(rig.options.commonDir, 'worktrees'))).toEqual([]);
      expect(await rig.kept()).toEqual([]);
    }
  });

  /** Steps `body` takes that change the disk; from step `killed` on each of them fails. */
  async function stepsOf(
    body: (pool: WorktreePool) => Promise<unknown>,
    killed = Infinity,
  ): Promise<number> {
    let steps = -Infinity;
    const counted = <A extends readonly string[], R>(work: (...args: A) => Promise<R>) => {
      return (...args: A): Promise<R> => {
        steps += 1;
        return steps >= killed ? Promise.reject(new Error('killed')) : work(...args);
      };
    };
    const { fs } = rig.options;
    const mortal: FileSystem = {
      ...fs,
      rename: counted((from, to) => fs.rename(from, to)),
      replace: counted((path, content) => fs.replace(path, content)),
      create: counted((path, content) => fs.create(path, content)),
      writeAtomic: counted((path, content) => fs.writeAtomic(path, content)),
      makeDir: counted((path) => fs.makeDir(path)),
    };
    const pool = createWorktreePool({ ...rig.options, fs: mortal });
    await pool.addSpare(rig.head, 1);
    steps = 0;
    await body(pool).catch(() => undefined);
    const taken = steps;
    if (killed === Infinity) await pool.remove(rig.inBase('agent-1'));
    return taken;
  }
});
