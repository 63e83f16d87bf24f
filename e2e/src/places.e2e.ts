import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rig } from './rig';
import { makeRig } from './rig';

const PLAN = `parallel_executor: { default_agent: writer }
agents: { writer: { adapter: command, command: 'mkdir -p "dir ü" && echo "$PARALLEL_TASK_ID" > "dir ü/$PARALLEL_TASK_ID.txt"' } }
tasks: { one: { writes: ["dir ü/one.txt"] }, two: { writes: ["dir ü/two.txt"], depends_on: [one] } }
`;

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
  await rig.repository.commit({ 'parallel.yaml': PLAN, 'sub/folder/keep.txt': 'kept\n' }, 'plan');
});
afterEach(async () => {
  await rig.done();
});

const landedFiles = (): Promise<string> =>
  rig.git('-c', 'core.quotePath=false', 'ls-files', 'dir ü');

describe('a run', () => {
  it('works from a subfolder, with spaces and letters of any alphabet in paths', async () => {
    expect((await rig.cliIn(join(rig.root, 'sub/folder'), 'run')).code).toBe(0);
    expect(await landedFiles()).toBe('dir ü/one.txt\ndir ü/two.txt');
  });

  it('needs a repository, and says so', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'no-repository-')));
    writeFileSync(join(folder, 'parallel.yaml'), PLAN);
    const { code, stderr } = await rig.cliIn(folder, 'run');
    await rm(folder, { recursive: true });
    expect(code).toBe(2);
    expect(stderr).toMatch(/git init/);
  });

  it('needs a commit, and says how to make one', async () => {
    const empty = join(rig.root, '..', 'empty');
    mkdirSync(empty);
    await rig.repository.git(['init', '--quiet', empty]);
    writeFileSync(join(empty, 'parallel.yaml'), PLAN);
    const { code, stderr } = await rig.cliIn(empty, 'run');
    expect(code).toBe(2);
    expect(stderr).toMatch(/git commit/);
    expect(await rig.repository.git(['status', '--porcelain'], empty)).toBe('?? parallel.yaml');
  });

  it('starts from HEAD in a dirty checkout, says so, and leaves every dirty file as it is', async () => {
    writeFileSync(join(rig.root, 'sub/folder/keep.txt'), 'mine\n');
    writeFileSync(join(rig.root, 'new.txt'), 'mine too\n');
    await rig.write({ 'staged.txt': 'staged\n' });
    await rig.git('add', 'staged.txt');
    const before = await rig.git('status', '--porcelain');
    const { code, stderr } = await rig.cli('run');
    expect(code).toBe(0);
    expect(stderr).toMatch(/3 uncommitted files/);
    expect(await rig.git('status', '--porcelain')).toBe(before);
    expect(readFileSync(join(rig.root, 'sub/folder/keep.txt'), 'utf8')).toBe('mine\n');
    expect(await landedFiles()).toBe('dir ü/one.txt\ndir ü/two.txt');
  });

  it('lands on a branch of its own on a detached HEAD', async () => {
    await rig.git('checkout', '--quiet', '--detach');
    const head = await rig.git('rev-parse', 'HEAD');
    const { code, stderr } = await rig.cli('run');
    expect(code).toBe(0);
    expect(stderr).toMatch(/detached/);
    expect(await rig.git('rev-parse', 'HEAD')).toBe(head);
    const branch = (
      await rig.git('branch', '--list', 'parallel/*', '--format=%(refname:short)')
    ).trim();
    expect(await rig.git('show', `${branch}:dir ü/two.txt`)).toBe('two');
  });

  it('works in a linked worktree and lands on its branch', async () => {
    const linked = join(rig.root, '..', 'linked tree');
    await rig.git('worktree', 'add', '--quiet', '-b', 'feature', linked);
    const main = await rig.git('rev-parse', 'main');
    expect((await rig.cliIn(linked, 'run')).code).toBe(0);
    expect(await rig.git('rev-parse', 'main')).toBe(main);
    expect(await rig.git('show', 'feature:dir ü/two.txt')).toBe('two');
    expect(await rig.repository.git(['status', '--porcelain'], linked)).toBe('');
    expect(await rig.git('status', '--porcelain')).toBe('');
  });

  it('exits 3 when an uncommitted file is in the way, and keeps the work', async () => {
    mkdirSync(join(rig.root, 'dir ü'));
    writeFileSync(join(rig.root, 'dir ü/one.txt'), 'mine\n');
    const { code, stderr } = await rig.cli('run');
    expect(code).toBe(3);
    const commit = [...stderr.matchAll(/git merge --ff-only ([0-9a-f]{40})/g)].at(-1)?.[1] ?? '';
    expect(await rig.git('show', `${commit}:dir ü/two.txt`)).toBe('two');
    expect(readFileSync(join(rig.root, 'dir ü/one.txt'), 'utf8')).toBe('mine\n');
  });
});
