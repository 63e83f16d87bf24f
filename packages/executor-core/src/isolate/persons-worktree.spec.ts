import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { ownerText, parseOwner, type WorktreeOwner } from './admin-entry';
import { findWorktrees } from './leftover-worktrees';
import { sweepWorktrees } from './worktree-sweep';

jest.setTimeout(60_000);
const task = parseTaskId('api');

describe('the worktree a person settles a conflict in', () => {
  let rig: WorktreeRig;
  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  it('has the files of the commit, no branch, and is found by every process', async () => {
    const made = await rig.pool.forPerson(task, rig.head);
    expect(made).toMatchObject({ path: rig.inBase('resolve-api'), base: rig.head });
    expect(await rig.git(['status', '--porcelain', '--branch'], made.path)).toBe(
      '## HEAD (no branch)',
    );
    expect(await rig.newPool().personsWorktree(task)).toEqual(made);
    expect(await rig.pool.personsWorktree(parseTaskId('other'))).toBeNull();
    const [left] = await findWorktrees(rig.options, [rig.inBase()]);
    expect(left?.owner).toMatchObject({ kind: 'resolve', task });
  });

  it('stays through a sweep, as long as it is there', async () => {
    const { path } = await rig.pool.forPerson(task, rig.head);
    await writeFile(join(path, 'a.txt'), 'half done\n');
    expect((await sweepWorktrees(rig.newPool())).released).toEqual([]);
    expect(await readFile(join(path, 'a.txt'), 'utf8')).toBe('half done\n');
    await rm(path, { recursive: true });
    await sweepWorktrees(rig.newPool());
    expect(await rig.git(['worktree', 'list', '--porcelain'])).not.toContain('resolve-api');
  });

  it('is saved before it goes or is made anew', async () => {
    const { path } = await rig.pool.forPerson(task, rig.head);
    await writeFile(join(path, 'a.txt'), 'first\n');
    await rig.pool.forPerson(task, rig.head);
    const [first = ''] = await rig.kept();
    expect(first).toMatch(/\/api\/salvage-/);
    expect(await rig.git(['show', `${first}:a.txt`])).toBe('first');
    await writeFile(join(path, 'a.txt'), 'second\n');
    const release = await rig.pool.remove(path);
    const saved = release.kind === 'removed' ? (release.saved ?? '') : '';
    expect(await rig.git(['show', `${saved}:a.txt`])).toBe('second');
    expect([existsSync(path), await rig.pool.personsWorktree(task)]).toEqual([false, null]);
  });

  it('says whose it is in the lock of git, and nobody else can say so', () => {
    const owner: WorktreeOwner = { kind: 'resolve', run: rig.options.runId, task };
    expect(parseOwner(ownerText(owner))).toEqual(owner);
    expect(parseOwner('parallel PEXEC-1: conflict of ../api')).toBeNull();
  });
});
