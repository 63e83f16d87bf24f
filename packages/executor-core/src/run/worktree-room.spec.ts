import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeMounts } from '../adapters/node-mounts';
import type { Settings } from '../model/task';
import { UserError } from '../model/user-error';
import type { Disk } from '../ports/disk';
import { makeRepository, type TestRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import { checkWorktrees, worktreeWays } from './worktree-ways';
import { worktreeRoom } from './worktree-room';

jest.setTimeout(60_000);

/** A checkout takes two blocks for the files and one for the folder, and three inodes. */
const FILES = { 'src/a.txt': 'a\n', 'b.txt': 'b\n' };
const TREE = 3 * 4096;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

describe('a run on a disk with little room', () => {
  let repository: TestRepository;

  beforeEach(async () => {
    repository = await makeRepository(FILES);
  });
  afterEach(() => repository.cleanup());

  /** A disk that knows the repository's root and nothing below it. */
  const disk = (bytes: number, inodes: number): Disk => {
    const known = <T>(folder: string, value: T) => (folder === repository.root ? value : null);
    return {
      freeSpace: (folder) => known(folder, bytes),
      freeFiles: (folder) => known(folder, inodes),
      networkName: () => null,
    };
  };
  const where = (bytes: number, inodes = NO_LIMIT, overlays = false) => {
    const problem = () => Promise.resolve(overlays ? null : 'only root may mount an overlay');
    const mounts = { ...nodeMounts(), problem };
    const tools = { fs: nodeFileSystem(), disk: disk(bytes, inodes), mounts };
    const gitDir = join(repository.root, '.git');
    const found = { root: repository.root, gitDir, commonDir: gitDir };
    return { tools, repository: { ...found } } as unknown as Parameters<typeof checkWorktrees>[0];
  };
  const plan = (settings: Partial<Settings> = {}, count = 4) =>
    planOf({
      settings: { maxAgents: 3, ...settings },
      tasks: Array.from({ length: count }, (_, at) => `task-${at}`),
    });

  it('starts when the worktrees of all agents at once fit, and one for the checks', async () => {
    await expect(checkWorktrees(where(3 * TREE), plan())).resolves.toBeUndefined();
    const checked = plan({ verify: ['npm test'] });
    await expect(checkWorktrees(where(4 * TREE), checked)).resolves.toBeUndefined();
    await expect(checkWorktrees(where(4 * TREE - 1), checked)).rejects.toThrow(UserError);
  });

  it('is refused with the numbers and the way out, before anything is made', async () => {
    const before = await readdir(repository.root);
    const error = await checkWorktrees(where(3 * TREE - 1), plan()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    const { message, fix } = error as UserError;
    expect(message).toContain(
      '3 whole checkouts at once, about 0.0 MB and 9 inodes (2 files each)',
    );
    expect(message).toContain(`the disk of ${repository.root} has 0.0 MB`);
    expect(fix).toContain('run with --agents 2');
    expect(await readdir(repository.root)).toEqual(before);
  });

  it('is refused for want of inodes as well', async () => {
    await expect(checkWorktrees(where(NO_LIMIT, 9), plan())).resolves.toBeUndefined();
    await expect(checkWorktrees(where(NO_LIMIT, 8), plan())).rejects.toThrow('8 inodes free');
  });

  it('needs no more worktrees than it has tasks', async () => {
    await expect(checkWorktrees(where(TREE), plan({}, 1))).resolves.toBeUndefined();
  });

  it('takes overlays by itself where full ones do not fit, and needs one checkout for them', async () => {
    const [task] = plan().tasks;
    const small = where(TREE, NO_LIMIT, true);
    expect(await worktreeWays(small, plan()).wayOf(task as never)).toEqual({ kind: 'overlay' });
    await expect(checkWorktrees(small, plan())).resolves.toBeUndefined();
    await expect(checkWorktrees(where(TREE - 1, NO_LIMIT, true), plan())).rejects.toThrow(
      'needs 1 whole checkouts',
    );
    expect(
      await worktreeWays(where(3 * TREE, NO_LIMIT, true), plan()).wayOf(task as never),
    ).toEqual({
      kind: 'full',
    });
  });

  it('makes the next worktree beside the last one only where all of them fit twice', async () => {
    const room = (bytes: number, count = 4) =>
      worktreeWays(where(bytes), plan({}, count)).hasRoomForNext();
    expect(await Promise.all([room(6 * TREE), room(6 * TREE - 1)])).toEqual([true, false]);
    expect(await room(2 * TREE, 1)).toBe(true);
  });

  it('starts where nobody knows how much room there is', async () => {
    const unknown = where(0);
    const silent = { ...unknown.tools.disk, freeSpace: () => null, freeFiles: () => null };
    const tools = { ...unknown.tools, disk: silent };
    await expect(checkWorktrees({ ...unknown, tools }, plan())).resolves.toBeUndefined();
  });

  it('asks the disk of the folder of worktrees where that is there', async () => {
    const base = join(repository.root, 'elsewhere');
    await mkdir(base);
    const asked: string[] = [];
    const watching: Disk = {
      ...disk(NO_LIMIT, NO_LIMIT),
      freeSpace: (folder) => {
        asked.push(folder);
        return 1;
      },
    };
    const at = { root: repository.root, gitDir: join(repository.root, '.git') };
    const tools = { fs: nodeFileSystem(), disk: watching };
    const room = await worktreeRoom(tools, at, { worktreeBase: 'elsewhere' });
    expect(room).toMatchObject({ folder: base, bytes: 1, trees: 0 });
    expect(new Set(asked)).toEqual(new Set([base]));
  });
});
