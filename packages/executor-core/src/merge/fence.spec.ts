import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { parseRunId } from '../model/ids';
import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import type { FenceHolder } from './fence';
import { dropFence, fenceHolder, fenceRef, isFenceUp, raiseFence } from './fence';
import type { RefGuard } from './land';
import { advanceIntegration, TakenOver } from './land';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

describe('the fence of a checkout', () => {
  const RUN = parseRunId('PEXEC-1');
  const LATER = parseRunId('PEXEC-2');
  let rig: MergeRig;
  beforeEach(async () => {
    rig = await makeMergeRig();
  });
  afterEach(() => rig.cleanup());

  const raise = async (holder: Partial<FenceHolder>, held = true): Promise<RefGuard | null> =>
    raiseFence({
      git: rig.git,
      root: rig.root,
      holder: { run: RUN, token: 1, shared: false, ...holder },
      isHeld: () => Promise.resolve(held),
      breakLock: () => rm(lockFile(), { force: true }),
    });
  const lockFile = (): string => join(rig.root, '.git', `${fenceRef(rig.root)}.lock`);
  const raised = async (holder: Partial<FenceHolder>): Promise<RefGuard> => {
    const fence = await raise(holder);
    if (fence === null) throw new Error('Nobody was quicker.');
    return fence;
  };
  const land = async (guard: RefGuard): Promise<'moved' | 'stale'> => {
    const from = await rig.tip();
    const to = await rig.repo.commit({ 'a.txt': `${Math.random()}\n` }, 'work');
    const { git, root } = rig;
    return advanceIntegration({ git, root, ref: INTEGRATION, from, to, guard });
  };

  it('lets its holder land, and tells who that is', async () => {
    const fence = await raised({ token: 7 });
    expect(await land(fence)).toBe('moved');
    expect(await fenceHolder(rig.git, rig.root)).toEqual({ run: RUN, token: 7, shared: false });
    expect(await rig.repo.git(['ls-tree', '--name-only', fence.ref])).toBe('alone-PEXEC-1-7');
  });

  it('refuses a former holder in git itself, although the branch is where it was', async () => {
    const before = await raised({ token: 1 });
    const after = await raised({ token: 2, run: LATER });
    const tip = await rig.tip();
    await expect(land(before)).rejects.toThrow(TakenOver);
    expect(await rig.tip()).toBe(tip);
    expect(await land(after)).toBe('moved');
  });

  it('is not moved back by a holder that stood still before it had moved it', async () => {
    const fence = await raised({ token: 9, run: LATER });
    expect(await raise({ token: 3 }, false)).toBeNull();
    expect(await isFenceUp(rig.git, rig.root, fence)).toBe(true);
  });

  it('follows a lock table that began anew', async () => {
    await raised({ token: 900 });
    const fence = await raised({ token: 1, run: LATER });
    expect(await land(fence)).toBe('moved');
  });

  it('is shared by the processes of Nx, until a run of its own comes', async () => {
    const [one, ...more] = await Promise.all(
      [4, 5, 6, 7].map((token) => raised({ token, shared: true })),
    );
    if (one === undefined) throw new Error('There are four.');
    expect(new Set([one, ...more].map(({ id }) => id)).size).toBe(1);
    const alone = await raised({ token: 8, run: LATER });
    await expect(land(one)).rejects.toThrow(TakenOver);
    const again = await raised({ token: 9, shared: true });
    await expect(land(alone)).rejects.toThrow(TakenOver);
    expect(await land(again)).toBe('moved');
  });

  it('is taken away by its holder alone', async () => {
    const before = await raised({ token: 1 });
    const after = await raised({ token: 2 });
    await dropFence(rig.git, rig.root, before);
    expect(await isFenceUp(rig.git, rig.root, after)).toBe(true);
    await dropFence(rig.git, rig.root, after);
    expect(await fenceHolder(rig.git, rig.root)).toBeNull();
    await expect(land(after)).rejects.toThrow(TakenOver);
  });

  it.each([
    ['alone', false],
    ['together with others', true],
  ])('gets past the lock of a git that was killed, %s', async (_how, shared) => {
    const before = await raised({ token: 1, shared });
    await mkdir(dirname(lockFile()), { recursive: true });
    await writeFile(lockFile(), '');
    const after = await raised({ token: 2, shared });
    expect(after.id === before.id).toBe(shared);
    expect(await land(after)).toBe('moved');
  });

  it('survives a clean-up by git, and does not show in the history', async () => {
    const fence = await raised({ token: 1 });
    await rig.repo.git(['gc', '--quiet', '--prune=now']);
    expect(await rig.repo.git(['fsck', '--strict'])).toBe('');
    expect(await isFenceUp(rig.git, rig.root, fence)).toBe(true);
    expect(await rig.repo.git(['log', '--all', '--format=%s'])).toBe('first');
  });
});
