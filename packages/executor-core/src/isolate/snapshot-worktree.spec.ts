import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseTaskId } from '../model/ids';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

const REF = 'refs/parallel/PEXEC-1/landing/attempt-1';

describe('snapshotWorktree', () => {
  let rig: WorktreeRig;
  let path: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': 'one\n', 'deep/b.txt': 'two\n', '.gitignore': 'out\n' });
    await start();
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const start = async () => {
    const request = { slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 7 };
    path = (await rig.pool.create(request)).path;
  };
  const edit = (name: string, content: string) => writeFile(join(path, name), content);
  const snapshot = (previous: string | null = null) => {
    const message = 'what was tried\n\nand why';
    return rig.pool.snapshot({ path, base: rig.head, ref: REF, previous, message });
  };

  it('keeps modified and untracked files, not ignored ones, under the ref', async () => {
    await edit('a.txt', 'changed\n');
    await edit('deep/new.txt', 'new\n');
    await edit('out', 'ignored');
    const { commit, tree, changed, missing } = await snapshot();
    expect({ changed, missing }).toEqual({ changed: true, missing: null });
    expect(await rig.git(['rev-parse', REF, `${REF}^{tree}`])).toBe(`${commit}\n${tree}`);
    expect(await rig.git(['ls-tree', '-r', '--name-only', REF])).toBe(
      ['.gitignore', 'a.txt', 'deep/b.txt', 'deep/new.txt'].join('\n'),
    );
    expect(await rig.git(['log', '-1', '--format=%an: %B', REF])).toContain(
      'Parallel Executor: what was tried\n\nand why',
    );
  });

  it('keeps an ignored file that the agent added all the same', async () => {
    await edit('out', 'added by force\n');
    await edit('gone.txt', 'staged, then deleted\n');
    await rig.git(['add', '--force', 'out', 'gone.txt'], path);
    await rm(join(path, 'gone.txt'));
    expect(await snapshot()).toMatchObject({ changed: true, missing: null });
    expect(await rig.git(['diff', '--name-status', rig.head, REF])).toBe('A\tout');
  });

  it('leaves the agent’s index, branch and files as they are', async () => {
    await edit('a.txt', 'staged\n');
    await rig.git(['add', 'a.txt'], path);
    await edit('a.txt', 'not staged\n');
    await edit('new.txt', 'new\n');
    const index = join(rig.root, '.git/worktrees/agent-1/index');
    const before = await readFile(index);
    const status = await rig.git(['status', '--porcelain'], path);
    expect((await snapshot()).changed).toBe(true);
    expect(await rig.git(['show', `${REF}:a.txt`])).toBe('not staged');
    expect(Buffer.compare(await readFile(index), before)).toBe(0);
    expect(await rig.git(['status', '--porcelain'], path)).toBe(status);
    expect(await rig.git(['rev-parse', 'agent-1-landing'])).toBe(rig.head);
  });

  it.each(['untouched', 'rewritten'])(
    'notices a change of the same size right after the worktree was made, with its index %s',
    async (index) => {
      const before = await readFile(join(path, 'a.txt'), 'utf8');
      if (index === 'rewritten')
        await rig.git(['update-index', '--assume-unchanged', 'a.txt'], path);
      const other = before.replace(/[a-z]/g, 'x');
      await edit('a.txt', other);
      const { changed } = await snapshot();
      expect(changed).toBe(true);
      expect(await rig.git(['show', `${REF}:a.txt`])).toBe(other.trimEnd());
    },
  );

  it('leaves no index of its own behind', async () => {
    await edit('a.txt', 'changed\n');
    await snapshot();
    const left = await readdir(join(rig.root, '.git/parallel'));
    expect(left.filter((name) => name.startsWith('index'))).toEqual([]);
  });

  it('is the agent’s own commit when everything was committed', async () => {
    await edit('a.txt', 'committed\n');
    await rig.git(['commit', '--quiet', '--all', '--message', 'mine'], path);
    const { commit, changed } = await snapshot();
    expect(changed).toBe(true);
    expect(commit).toBe(await rig.git(['rev-parse', 'HEAD'], path));
  });

  it('writes no ref when the files are those of the base', async () => {
    await edit('out', 'ignored');
    expect(await snapshot()).toMatchObject({ commit: rig.head, changed: false });
    expect(await rig.kept()).toEqual([]);
  });

  it('moves the ref on from where it was, and only from there', async () => {
    await edit('a.txt', 'first\n');
    const first = await snapshot();
    expect(await snapshot(first.commit)).toMatchObject({ commit: first.commit, changed: false });
    await edit('a.txt', 'second\n');
    await expect(snapshot()).rejects.toThrow('update-ref');
    await expect(snapshot(rig.head)).rejects.toThrow('update-ref');
    expect(await rig.git(['show', `${REF}:a.txt`])).toBe('first');
    expect(await snapshot(first.commit)).toMatchObject({ changed: true });
    expect(await rig.git(['show', `${REF}:a.txt`])).toBe('second');
  });

  it('goes back to the base when everything was undone', async () => {
    const before = await readFile(join(path, 'a.txt'), 'utf8');
    await edit('a.txt', 'changed\n');
    const { commit } = await snapshot();
    await edit('a.txt', before);
    expect(await snapshot(commit)).toMatchObject({ commit: rig.head, changed: true });
    expect(await rig.git(['rev-parse', REF])).toBe(rig.head);
  });

  it('replaces nothing when git could not read the files', async () => {
    await edit('a.txt', 'changed\n');
    const { commit } = await snapshot();
    await edit('.gitattributes', '*.txt filter=broken\n');
    await rig.git(['config', 'filter.broken.clean', 'false']);
    await rig.git(['config', 'filter.broken.required', 'true']);
    await edit('a.txt', 'later\n');
    const again = await snapshot(commit);
    expect(again.missing).not.toBeNull();
    expect(await rig.git(['show', `${REF}:a.txt`])).toBe('changed');
  });

  it('does not take files outside a sparse checkout for deleted', async () => {
    await rig.git(['sparse-checkout', 'set', 'elsewhere']);
    await rig.pool.remove(path);
    await start();
    expect(existsSync(join(path, 'deep'))).toBe(false);
    await edit('a.txt', 'changed\n');
    await mkdir(join(path, 'deep'));
    await edit('deep/new.txt', 'outside\n');
    expect(await snapshot()).toMatchObject({ changed: true, missing: null });
    const changes = await rig.git(['diff', '--name-status', rig.head, REF]);
    expect(changes).toBe('M\ta.txt\nA\tdeep/new.txt');
  });

  it('keeps a file’s content as git would store it, not as it lies on the disk', async () => {
    await edit('.gitattributes', '*.txt text eol=crlf\n');
    await edit('a.txt', 'one\r\nthree\r\n');
    await rig.git(['config', 'core.safecrlf', 'true']);
    await snapshot();
    expect(await rig.git(['cat-file', 'blob', `${REF}:a.txt`])).toBe('one\nthree');
  });
});
