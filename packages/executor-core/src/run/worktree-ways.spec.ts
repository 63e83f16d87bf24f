import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk } from '../adapters/node-disk';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeMounts } from '../adapters/node-mounts';
import type { Settings } from '../model/task';
import { UserError } from '../model/user-error';
import { canMountOverlay } from '../testing/can-mount-overlay';
import { planOf } from '../testing/plan';
import { makeRunRig, type RunRig } from '../testing/run-rig';
import { checkWorktrees } from './worktree-ways';

jest.setTimeout(60_000);

const FILES = { 'src/a.txt': 'a\n', 'lib/b.txt': 'b\n', 'other/c.txt': 'c\n' };
const overlays = canMountOverlay() ? it : it.skip;

describe('a run whose plan says how worktrees come to their files', () => {
  let rig: RunRig;

  beforeEach(async () => {
    rig = await makeRunRig(FILES);
  });
  afterEach(() => rig.done());

  const run = (settings: Partial<Settings>, command: string) =>
    rig.run({
      settings: { retry: { maxRetries: 0, backoff: 'none', baseMs: 1, maxMs: 1 }, ...settings },
      agents: [{ command: ['/bin/sh', '-c', command] }],
      tasks: [{ id: 'task', reads: ['lib/**'], writes: ['src/**'] }],
    });

  it('lands the work of a sparse one, and loses nothing that was left out', async () => {
    const { result } = await run({ worktrees: 'sparse' }, 'ls other 2>/dev/null; ls > src/seen');
    expect(result.parallel_execution.status).toBe('completed');
    expect(await rig.git('show', 'main:src/seen')).toBe('lib\nsrc');
    expect(await rig.git('show', 'main:other/c.txt')).toBe('c');
  });

  it('refuses what an agent writes outside the cone', async () => {
    const { result } = await run(
      { worktrees: 'sparse' },
      'mkdir other; echo over > other/c.txt; echo x > src/a.txt',
    );
    expect(result.parallel_execution.status).not.toBe('completed');
    expect(await rig.git('show', 'main:other/c.txt')).toBe('c');
  });

  overlays('lands the work of an overlay, in a sandbox too, and leaves no mount', async () => {
    const { result } = await run(
      { worktrees: 'overlay', sandbox: 'auto' },
      'cat other/c.txt > src/seen',
    );
    expect(result.parallel_execution.status).toBe('completed');
    expect(await rig.git('show', 'main:src/seen')).toBe('c');
    const base = join(rig.root, '.worktrees');
    expect(await nodeMounts().below(base)).toEqual([]);
    expect((await readdir(base)).filter((name) => /^(?:base|agent)-/.test(name))).toEqual([]);
  });

  it('does not start with overlays where none can be mounted', async () => {
    const mounts = { ...nodeMounts(), problem: () => Promise.resolve('only root may') };
    const tools = { mounts, fs: nodeFileSystem(), disk: nodeDisk() };
    const engine = { tools, repository: { ...rig, commonDir: rig.root, gitDir: rig.root } };
    const check = checkWorktrees(
      engine as never,
      planOf({ settings: { worktrees: 'overlay' }, tasks: ['a'] }),
    );
    await expect(check).rejects.toThrow(UserError);
    await expect(
      checkWorktrees(engine as never, planOf({ tasks: ['a'] })),
    ).resolves.toBeUndefined();
  });
});
