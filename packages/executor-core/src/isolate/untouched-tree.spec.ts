import { chmod, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { canMountOverlay } from '../testing/can-mount-overlay';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { createWorktreePool } from './worktree-pool';
import { untouchedCommit } from './untouched-tree';
import type { WorktreeWay } from './worktree-way';

/** Real git on a machine that may be busy. */
jest.setTimeout(60_000);

const FILES = { 'in/a.txt': 'one\n', 'in/b.txt': 'two\n', 'out/c.txt': 'three\n', 'r.txt': 'r\n' };
const WAYS: readonly WorktreeWay[] = [
  { kind: 'full' },
  { kind: 'sparse', cone: ['in'] },
  ...(canMountOverlay() ? [{ kind: 'overlay' } as const] : []),
];

type Deed = (path: string, rig: WorktreeRig) => Promise<unknown>;

/** Each is work that must not be lost, or a state in which that cannot be told. */
const TOUCHED: Readonly<Record<string, Deed>> = {
  'a changed file': (path) => writeFile(join(path, 'in/a.txt'), 'changed\n'),
  'a change of the same size and time': async (path) => {
    await writeFile(join(path, 'in/a.txt'), 'ONE\n');
    await utimes(join(path, 'in/a.txt'), 1, 1);
  },
  'a new mode': (path) => chmod(join(path, 'in/a.txt'), 0o755),
  'a deleted file': (path) => rm(join(path, 'in/a.txt')),
  'a renamed folder': (path) => rename(join(path, 'in'), join(path, 'moved')),
  'a new file': (path) => writeFile(join(path, 'new.txt'), 'new\n'),
  'a new file outside the cone': async (path) => {
    await mkdir(join(path, 'out'), { recursive: true });
    await writeFile(join(path, 'out/new.txt'), 'new\n');
  },
  'a file of the commit, changed outside the cone': async (path) => {
    await mkdir(join(path, 'out'), { recursive: true });
    await writeFile(join(path, 'out/c.txt'), 'changed\n');
  },
  'a staged file that is gone': async (path, rig) => {
    await writeFile(join(path, 'new.txt'), 'new\n');
    await rig.git(['add', 'new.txt'], path);
    await rm(join(path, 'new.txt'));
  },
  'a change that is marked as none': async (path, rig) => {
    await rig.git(['update-index', '--assume-unchanged', 'in/a.txt'], path);
    await writeFile(join(path, 'in/a.txt'), 'changed\n');
  },
  'a commit': async (path, rig) => {
    await writeFile(join(path, 'in/a.txt'), 'changed\n');
    await rig.git(['commit', '--quiet', '--all', '--message', 'x'], path);
  },
  'a branch that was moved without its index': async (path, rig) => {
    const commit = await rig.git(['commit-tree', '-p', 'HEAD', '-m', 'x', 'HEAD^{tree}'], path);
    await rig.git(['update-ref', 'HEAD', commit], path);
  },
  'another repository inside': (path, rig) =>
    rig.git(['init', '--quiet', join(path, 'inner')], path),
  'a repository of its own': async (path, rig) => {
    await rm(join(path, '.git'));
    await rig.git(['init', '--quiet'], path);
  },
};

describe.each(WAYS)('a $kind worktree', (way) => {
  let rig: WorktreeRig;
  let path: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ ...FILES, '.gitignore': 'ignored\n' });
    path = (await rig.pool.create(request())).path;
  });
  afterEach(async () => {
    await rig.pool.close();
    for (const at of (await rig.options.mounts?.below(rig.inBase())) ?? [])
      await rig.options.mounts?.unmount(at);
    await rig.cleanup();
  });
  const request = () => ({
    slot: 1,
    task: parseTaskId('landing'),
    commit: rig.head,
    token: 7,
    way,
  });

  it('that nobody touched is at its commit, also with ignored files', async () => {
    expect(await untouchedCommit(rig.options, path)).toBe(rig.head);
    await writeFile(join(path, 'ignored'), 'x\n');
    expect(await untouchedCommit(rig.options, path)).toBe(rig.head);
  });

  it.each(Object.entries(TOUCHED))('is told from one with %s', async (_, deed) => {
    await deed(path, rig);
    expect(await untouchedCommit(rig.options, path)).toBeNull();
  });

  it('is given back with one git at most, and with none an overlay', async () => {
    const started: string[] = [];
    const { git } = rig.options;
    const pool = createWorktreePool({
      ...rig.options,
      git: {
        ...git,
        run: (args, options) => {
          started.push(args.find((word) => /^[a-z-]+$/.test(word) && word !== '-c') ?? '');
          return git.run(args, options);
        },
        text: (args, options) => {
          started.push(args[0] ?? '');
          return git.text(args, options);
        },
      },
    });
    expect(await pool.remove(path)).toEqual({ kind: 'removed', saved: null });
    expect(started).toEqual(way.kind === 'overlay' ? [] : ['status']);
    expect(await rig.branches()).toEqual(['main']);
    await pool.close();
  });

  it('is saved when it was touched while nobody looked', async () => {
    await writeFile(join(path, 'in/a.txt'), 'changed\n');
    const release = await rig.pool.remove(path);
    const { saved } = release as { readonly saved: string };
    expect(await rig.git(['show', `${saved}:in/a.txt`])).toBe('changed');
    expect(await readFile(join(rig.root, 'in/a.txt'), 'utf8')).toBe('one\n');
  });
});
