import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTaskId } from '../model/ids';
import type { WorktreeRig } from '../testing/worktree-rig';
import { makeWorktreeRig } from '../testing/worktree-rig';
import { deleteBranch, branchHold } from './branch-safety';
import { findTrash, findWorktrees } from './leftover-worktrees';
import { readAdminEntries } from './admin-entry';
import { reasonFile, releaseKept } from './worktree-safety';

let rig: WorktreeRig;
let path: string;
beforeEach(async () => {
  rig = await makeWorktreeRig({ 'a.txt': 'one\n' });
  ({ path } = await rig.pool.create({
    slot: 1,
    task: parseTaskId('landing'),
    commit: rig.head,
    token: 7,
  }));
});
afterEach(async () => {
  await rig.cleanup();
});

const find = () => findWorktrees(rig.options, [rig.inBase()]);
const found = async (): Promise<readonly object[]> =>
  (await find()).map(({ path: at, owner, aside, reason, entry }) => ({
    path: at,
    run: owner?.run ?? null,
    aside,
    reason,
    known: entry !== null,
  }));

/** An agent made a repository inside its worktree: git cannot save that. */
async function keptAside(): Promise<string> {
  await mkdir(join(path, 'inner'));
  await rig.git(['init', '--quiet'], join(path, 'inner'));
  await writeFile(join(path, 'inner/precious.txt'), 'precious\n');
  const release = await rig.pool.remove(path);
  if (release.kind !== 'kept') throw new Error(JSON.stringify(release));
  return release.path;
}

describe('our worktrees', () => {
  it('are found with their run, and those of the user are not', async () => {
    await rig.git(['worktree', 'add', '--quiet', '--detach', rig.inBase('mine')]);
    await mkdir(rig.inBase('agent-5'), { recursive: true });
    await writeFile(rig.inBase('agent-5', 'notes.txt'), 'of somebody');
    expect(await found()).toEqual([
      { path, run: 'PEXEC-1', aside: false, reason: null, known: true },
    ]);
  });

  it('are found without their entry, and the entry without a worktree', async () => {
    await rm(join(rig.root, '.git/worktrees/agent-1'), { recursive: true });
    expect(await found()).toEqual([{ path, run: null, aside: false, reason: null, known: false }]);
    const entry = join(rig.root, '.git/worktrees/agent-3');
    await mkdir(entry);
    await writeFile(join(entry, 'locked'), 'parallel PEXEC-1: verification\n');
    expect(await found()).toContainEqual({
      path: entry,
      run: 'PEXEC-1',
      aside: false,
      reason: null,
      known: true,
    });
  });

  it('are found without their entry beside another one of their slot', async () => {
    const isHeld = () => Promise.resolve(true);
    const request = { slot: 1, task: parseTaskId('next'), commit: rig.head, token: 8, isHeld };
    const beside = (await rig.pool.create(request)).path;
    await rm(join(rig.root, '.git/worktrees/agent-1.2'), { recursive: true });
    expect((await found())[1]).toMatchObject({ path: beside, known: false });
  });

  it('that were kept aside are found with the reason', async () => {
    const aside = await keptAside();
    const [left] = await found();
    expect(left).toEqual({
      path: aside,
      run: 'PEXEC-1',
      aside: true,
      reason: expect.stringContaining('inner') as string,
      known: true,
    });
    await rm(reasonFile(aside));
    expect(await found()).toMatchObject([{ path: aside, reason: null }]);
  });

  it('are found in no folder that was not named', async () => {
    expect(await findWorktrees(rig.options, [join(rig.root, 'elsewhere')])).toEqual([]);
  });
});

it('a worktree kept aside stays until somebody discards it, and then leaves nothing behind', async () => {
  const worktree = await keptAside();
  const entry = (await readAdminEntries(rig.options)).find((one) => one.worktree === worktree);
  if (entry === undefined) throw new Error('no entry');
  const site = await rig.pool.site();
  expect(await releaseKept(site, { ...entry, worktree }, [])).toMatchObject({ kind: 'kept' });
  expect(await found()).toHaveLength(1);
  expect(await releaseKept(site, { ...entry, worktree }, [], true)).toMatchObject({
    kind: 'removed',
  });
  expect([await found(), await rig.options.fs.list(rig.inBase('.kept'))]).toEqual([[], []]);
  expect(await findTrash(rig.options, [rig.inBase()])).not.toEqual([]);
});

describe('a branch of ours', () => {
  it('goes when its tip is kept elsewhere and nobody is on it', async () => {
    expect(await branchHold(rig.options, 'agent-1-landing', [rig.head])).toBe('checked-out');
    expect(await deleteBranch(rig.options, 'agent-1-landing', [rig.head])).toBe(false);
    await rig.git(['switch', '--quiet', '--detach'], path);
    expect(await branchHold(rig.options, 'agent-1-landing', [rig.head])).toBeNull();
    expect(await deleteBranch(rig.options, 'agent-1-landing', [rig.head])).toBe(true);
    expect(await rig.branches()).toEqual(['main']);
  });

  it('stays with commits that are nowhere else', async () => {
    await writeFile(join(path, 'a.txt'), 'two\n');
    const author = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    await rig.git([...author, 'commit', '--quiet', '--all', '--message', 'own'], path);
    await rig.git(['switch', '--quiet', '--detach', rig.head], path);
    expect(await branchHold(rig.options, 'agent-1-landing', [rig.head])).toBe('unsaved');
    expect(await deleteBranch(rig.options, 'agent-1-landing', [rig.head])).toBe(false);
    expect(await rig.branches()).toEqual(['agent-1-landing', 'main']);
  });
});
