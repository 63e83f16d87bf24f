import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import fc from 'fast-check';

import { makeCandidate } from '../merge/candidate';
import { parseTaskId } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';

jest.setTimeout(60_000);

const FILES = Object.fromEntries(
  [
    'root.txt',
    ...['in', 'side', 'out'].flatMap((f) => [1, 2, 3].map((n) => `${f}/d${n}/f.txt`)),
  ].map((path) => [path, `${path}\n`]),
);

describe('a sparse worktree', () => {
  let rig: WorktreeRig;
  let path: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ ...FILES, '.gitignore': 'ignored\n' });
    path = await create();
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const create = async (slot = 1) => {
    const way = { kind: 'sparse', cone: ['in', 'side/d1'] } as const;
    const task = parseTaskId('landing');
    return (await rig.pool.create({ slot, task, commit: rig.head, token: 7, way })).path;
  };
  const put = async (name: string, content: string) => {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  };
  const candidate = () =>
    makeCandidate({
      ...rig.options,
      run: rig.options.runId,
      task: parseTaskId('landing'),
      worktree: path,
      base: rig.head,
      fence: 7,
      message: 'x\n',
      freshIndex: rig.pool.freshIndex(path),
    });
  const changedBy = (commit: string) =>
    rig.git(['diff', '--name-status', '--no-renames', rig.head, commit]);
  const snapshot = () =>
    rig.pool.snapshot({
      path,
      base: rig.head,
      ref: 'refs/parallel/PEXEC-1/landing/x',
      previous: null,
      message: 'x',
    });

  it('has the files of its cone and of the root, and is clean for any git', async () => {
    const there = Object.keys(FILES).filter((name) => existsSync(join(path, name)));
    expect(there.filter((name) => name.startsWith('out/') || /^side\/d[23]/.test(name))).toEqual(
      [],
    );
    expect(there).toEqual(
      expect.arrayContaining(['root.txt', 'in/d1/f.txt', 'in/d3/f.txt', 'side/d1/f.txt']),
    );
    const asCone = ['core.sparseCheckout', 'core.sparseCheckoutCone', 'index.sparse'];
    const config = asCone.flatMap((name) => ['-c', `${name}=true`]);
    expect(await rig.git([...config, 'ls-files', '--sparse', 'out', 'side/d2'], path)).toBe(
      'out/\nside/d2/',
    );
    expect(await rig.git(['status', '--porcelain'], path)).toBe('');
  });

  it('leaves the configuration of the repository and other worktrees as they are', async () => {
    await expect(rig.git(['config', 'core.sparseCheckout'])).rejects.toThrow();
    const full = await rig.pool.create({
      slot: 2,
      task: parseTaskId('other'),
      commit: rig.head,
      token: 8,
    });
    expect(existsSync(join(full.path, 'out/d1/f.txt'))).toBe(true);
    expect(await rig.git(['status', '--porcelain'])).toBe('');
  });

  it('hands in nothing when the agent did nothing', async () => {
    expect(await candidate()).toMatchObject({ paths: [], candidate: { noop: true } });
    expect(await snapshot()).toMatchObject({ changed: false, missing: null });
  });

  it('hands in files written outside its cone, be they new or there in the base', async () => {
    await put('out/d1/f.txt', 'over\n');
    await put('out/d9/new.txt', 'new\n');
    await put('in/d1/f.txt', 'changed\n');
    const made = await candidate();
    const paths = ['in/d1/f.txt', 'out/d1/f.txt', 'out/d9/new.txt'];
    expect(made).toMatchObject({ paths });
    const kept = await snapshot();
    expect(await changedBy(kept.commit)).toBe('M\tin/d1/f.txt\nM\tout/d1/f.txt\nA\tout/d9/new.txt');
  });

  it('saves the work when its index is gone, and takes nothing outside for deleted', async () => {
    await rm(join(path, 'in/d2/f.txt'));
    await rm(join(rig.options.commonDir, 'worktrees/agent-1/index'));
    const release = await rig.pool.remove(path);
    const saved = release.kind === 'removed' ? release.saved : null;
    expect(await changedBy(saved ?? 'HEAD')).toBe('D\tin/d2/f.txt');
  });

  it('counts as deleted what the agent fetched and then removed', async () => {
    await rig.git(['update-index', '--no-skip-worktree', 'out/d1/f.txt'], path);
    const kept = await snapshot();
    expect(await changedBy(kept.commit)).toBe('D\tout/d1/f.txt');
  });

  it('ends the making of full ones ahead, which nobody would take', async () => {
    expect(await rig.pool.addSpare(rig.head, 1)).toBe(false);
    expect(await rig.newPool().addSpare(rig.head, 1)).toBe(true);
  });

  it('is made anew after a failed attempt, on the base of the next', async () => {
    const commit = await rig.commit({ 'in/d1/f.txt': 'landed\n', 'out/d1/f.txt': 'landed\n' }, 'x');
    await put('in/d2/f.txt', 'work\n');
    const way = { kind: 'sparse', cone: ['out'] } as const;
    const task = parseTaskId('landing');
    await rig.pool.create({ slot: 1, task, commit, token: 9, way });
    expect(await rig.kept()).toHaveLength(1);
    expect(existsSync(join(path, 'in'))).toBe(false);
    expect(await rig.git(['status', '--porcelain'], path)).toBe('');
  });

  it('differs from its base only in what was done, whatever that is', async () => {
    const name = fc.constantFrom(...Object.keys(FILES), 'in/new.txt', 'out/new/a.txt', 'n.txt');
    const deed = fc.record({
      name,
      how: fc.constantFrom('write', 'delete', 'stage', 'commit', 'same'),
    });
    let slot = 1;
    const task = fc.asyncProperty(fc.array(deed, { maxLength: 6 }), async (deeds) => {
      path = await create((slot += 1));
      const expected = new Map<string, string | null>(Object.entries(FILES));
      // Of a file outside the cone that the index does not show, nobody can tell that it was removed again.
      const shown = new Set(Object.keys(FILES).filter((file) => existsSync(join(path, file))));
      for (const { name: file, how } of deeds) {
        const there = existsSync(join(path, file));
        if (how === 'delete') {
          await rm(join(path, file), { force: true });
          const was = FILES[file];
          if (was !== undefined && !shown.has(file)) expected.set(file, was);
          else if (there) expected.delete(file);
        } else if (how === 'same') {
          const was = FILES[file];
          if (was !== undefined) await put(file, was).then(() => expected.set(file, was));
        } else {
          await put(file, `${how} ${slot}\n`);
          expected.set(file, `${how} ${slot}\n`);
          if (how === 'stage') shown.add(file);
          if (how === 'stage') await rig.git(['add', '--sparse', file], path);
          if (how === 'commit')
            await rig.git(['commit', '--quiet', '--all', '-m', 'x', '--allow-empty'], path);
        }
      }
      const changed = [...new Set([...Object.keys(FILES), ...expected.keys()])]
        .filter((file) => expected.get(file) !== FILES[file])
        .sort();
      const kept = await rig.pool.snapshot({
        path,
        base: rig.head,
        ref: `refs/parallel/PEXEC-1/landing/s${slot}`,
        previous: null,
        message: 'x',
      });
      const names = await rig.git(['diff', '--name-only', '--no-renames', rig.head, kept.commit]);
      expect(names.split('\n').filter(Boolean).sort()).toEqual(changed);
      const made = await candidate();
      expect('paths' in made ? [...made.paths].sort() : made).toEqual(changed);
    });
    await fc.assert(task, { numRuns: Number(process.env['PE_RUNS'] ?? 12) });
  });
});
