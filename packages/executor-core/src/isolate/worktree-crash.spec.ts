import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';

import { parseTaskId } from '../model/ids';
import { mortalTools } from '../testing/mortal-tools';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';
import { sweepWorktrees } from './worktree-sweep';

const TASK = parseTaskId('landing');

describe('nothing written is lost', () => {
  let rig: WorktreeRig;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n', 'b.txt': 'two\n' });
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const dyingPool = (lives: number) => createWorktreePool(mortalTools(rig.options, lives));

  const request = () => ({ slot: 1, task: TASK, commit: rig.head, token: 1 });
  /** Contents of all files in all commits that a ref leads to. */
  const kept = async () => {
    const objects = await rig.git(['rev-list', '--objects', '--no-object-names', '--all']);
    return new Set(objects.split('\n'));
  };
  const idOf = (path: string) => rig.git(['hash-object', path]);

  it('at whatever call to git or the disk the process dies while it replaces a worktree', async () => {
    let survived = false;
    // Every third point is enough to fail when a step is in the wrong order, and three times as quick.
    for (let lives = 0; !survived; lives += 3) {
      const { path } = await rig.pool.create(request());
      await writeFile(join(path, 'new.txt'), `precious ${lives}\n`);
      const id = await idOf(join(path, 'new.txt'));
      survived = await dyingPool(lives)
        .create(request())
        .then(() => true)
        .catch(() => false);
      await sweepWorktrees(rig.newPool());
      expect((await kept()).has(id)).toBe(true);
      expect(existsSync(path)).toBe(false);
      expect(existsSync(join(rig.root, '.git/parallel/new'))).toBe(false);
      expect(await rig.git(['worktree', 'list', '--porcelain'])).not.toContain('agent-1');
      expect(lives).toBeLessThan(300);
    }
    expect(await rig.git(['fsck', '--no-dangling'])).toBe('');
  }, 240_000);

  const name = fc.constantFrom('a.txt', 'b.txt', 'c/d.txt', 'é f.txt');
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), name, text: fc.string({ maxLength: 8 }) }),
    fc.record({ do: fc.constant('delete' as const), name }),
    fc.record({
      do: fc.constant('git' as const),
      args: fc.constantFrom(
        ['add', '--all'],
        ['commit', '--all', '--quiet', '--allow-empty', '--message', 'x'],
        ['switch', '--quiet', '--detach'],
        ['switch', '--quiet', '--create', 'own'],
        ['reset', '--hard', '--quiet', 'HEAD~1'],
        ['rm', '--cached', '--quiet', 'a.txt'],
        ['update-index', '--assume-unchanged', 'a.txt'],
        ['stash', '--quiet'],
        ['worktree', 'unlock', '.'],
      ),
    }),
    fc.record({ do: fc.constant('unlink' as const) }),
  );

  it('whatever an agent did in its worktree before it is removed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { path } = await rig.pool.create(request());
        for (const one of steps) {
          if (one.do === 'write') {
            await mkdir(join(path, 'c'), { recursive: true });
            await writeFile(join(path, one.name), one.text);
          } else if (one.do === 'delete') await rm(join(path, one.name), { force: true });
          else if (one.do === 'unlink') await rm(join(path, '.git'), { force: true });
          // Without its link to git the agent would work on the main checkout around it.
          else if (existsSync(join(path, '.git'))) await rig.git(one.args, path).catch(() => '');
        }
        const entries = await readdir(path, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile() && entry.name !== '.git');
        const ids = await Promise.all(files.map((file) => idOf(join(file.parentPath, file.name))));
        const admin = await readFile(join(rig.root, '.git/worktrees/agent-1/HEAD'), 'utf8');
        const head = await rig.git(['rev-parse', admin.trim().replace(/^ref: /, '')]);
        expect(await rig.pool.remove(path)).toMatchObject({ kind: 'removed' });
        const all = await kept();
        for (const id of [...ids, head]) expect(all.has(id)).toBe(true);
      }),
      { numRuns: 10 },
    );
  }, 240_000);
});
