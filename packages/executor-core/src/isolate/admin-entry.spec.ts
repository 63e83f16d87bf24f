import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';

import { parseRunId, parseTaskId, taskIdProblem } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { findAdminEntry, isOurs, ownerText, parseOwner, readAdminEntries } from './admin-entry';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('parseOwner', () => {
  it('reads back what ownerText wrote', () => {
    const task = fc
      .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
      .filter((text) => taskIdProblem(text) === null);
    fc.assert(
      fc.property(task, fc.nat(), fc.nat(), (id, slot, token) => {
        const run = parseRunId(`PEXEC-${token}`);
        const branch = `agent-${slot}-${id}`;
        const owner = { kind: 'agent', run, task: parseTaskId(id), branch, token } as const;
        expect(parseOwner(ownerText(owner))).toEqual(owner);
        expect(parseOwner(ownerText({ kind: 'verify', run }))).toEqual({ kind: 'verify', run });
      }),
    );
  });

  it('knows nobody in a reason that a person or another tool wrote', () => {
    const reasons = [
      '',
      'initializing',
      'on a USB disk',
      'parallel universe',
      'parallel PEXEC-x: verification',
      'parallel PEXEC-1: ../x on agent-1-x (lease 1)',
      'not parallel PEXEC-1: verification',
    ];
    for (const reason of reasons) expect(parseOwner(reason)).toBeNull();
  });
});

describe('readAdminEntries', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const create = () =>
    rig.pool.create({ slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 7 });

  it('finds none in a repository without worktrees', async () => {
    expect(await readAdminEntries(rig.options)).toEqual([]);
  });

  it('tells our worktrees from foreign ones', async () => {
    const { path } = await create();
    const foreign = join(rig.root, '..', 'mine');
    await rig.git(['worktree', 'add', '--quiet', '-b', 'mine', foreign]);
    const site = await rig.pool.site();
    const entries = await readAdminEntries(site);
    expect(entries.map((entry) => [entry.worktree, entry.branch, isOurs(site, entry)])).toEqual([
      [path, 'refs/heads/agent-1-landing', true],
      [foreign, 'refs/heads/mine', false],
    ]);
    expect(entries.map((entry) => entry.base)).toEqual([rig.head, null]);
  });

  it('does not take a worktree that was moved elsewhere for ours to remove', async () => {
    const { path } = await create();
    const elsewhere = join(rig.root, '..', 'elsewhere');
    await rig.git(['worktree', 'unlock', path]);
    await rig.git(['worktree', 'move', path, elsewhere]);
    const entry = await findAdminEntry(rig.options, elsewhere);
    expect(entry?.owner).toMatchObject({ task: 'landing' });
    expect(entry && isOurs(await rig.pool.site(), entry)).toBe(false);
  });

  it('understands relative paths, as newer gits write them', async () => {
    const { path } = await create();
    const admin = join(rig.root, '.git/worktrees/agent-1');
    await writeFile(join(admin, 'gitdir'), '../../../.worktrees/agent-1/.git\n');
    expect(await findAdminEntry(rig.options, path)).toMatchObject({ folder: admin, broken: false });
  });

  it('reads the id from the folder, whatever git named it', async () => {
    const { path } = await create();
    const admin = (name: string) => join(rig.root, '.git/worktrees', name);
    await rename(admin('agent-1'), admin('agent-11'));
    expect(await findAdminEntry(rig.options, path)).toMatchObject({ folder: admin('agent-11') });
  });
});
