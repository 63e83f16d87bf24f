import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  lstat,
  mkdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';

import { nodeProcessRunner } from '../adapters/node-process-runner';
import { nodeProcesses } from '../adapters/node-processes';
import { parseTaskId } from '../model/ids';
import type { WorktreeSetup } from '../model/task';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { setUpWorktree } from './worktree-setup';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

const MANIFEST = (name: string) => JSON.stringify({ name, main: 'index.js' });

describe('setUpWorktree', () => {
  let rig: WorktreeRig;
  let worktree: string;

  beforeEach(async () => {
    rig = await makeWorktreeRig({
      '.gitignore': 'node_modules\n.env\ncache\ndist/\n',
      'a.txt': 'one\n',
      'packages/a/package.json': MANIFEST('@x/a'),
      'packages/a/index.js': "module.exports = 'base';\n",
      'packages/b/package.json': MANIFEST('@x/b'),
      'packages/b/index.js': "module.exports = [require('@x/a'), require('plain')];\n",
    });
    const request = { slot: 1, task: parseTaskId('landing'), commit: rig.head, token: 1 };
    worktree = (await rig.pool.create(request)).path;
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  const inTree = (...names: readonly string[]) => join(worktree, ...names);
  const inMain = (...names: readonly string[]) => join(rig.root, ...names);
  const setUp = (setup: Partial<WorktreeSetup>) =>
    setUpWorktree({
      ...rig.options,
      runner: nodeProcessRunner(nodeProcesses()),
      worktree,
      setup: { copy: [], link: [], run: [], ...setup },
      env: { PATH: process.env['PATH'] ?? '', GREETING: 'hello' },
      logPath: join(rig.root, '..', 'setup.log'),
    });
  const status = () => rig.git(['status', '--porcelain', '--untracked-files=all'], worktree);

  /** What `npm install` makes of two workspace packages and some dependencies. */
  async function install() {
    await rig.write({
      'node_modules/plain/index.js': "module.exports = 'plain';\n",
      'node_modules/@y/c/index.js': "module.exports = 'c';\n",
      'node_modules/.package-lock.json': '{}',
      'node_modules/.cache/tool/state': 'state',
      'packages/b/node_modules/nested/index.js': "module.exports = 'nested';\n",
      'packages/b/cli.js': '',
    });
    await mkdir(inMain('node_modules/@x'));
    await mkdir(inMain('node_modules/.bin'));
    await symlink('../../packages/a', inMain('node_modules/@x/a'));
    await symlink('../../packages/b', inMain('node_modules/@x/b'));
    await symlink('../plain/index.js', inMain('node_modules/.bin/plain'));
    await symlink('../@x/b/index.js', inMain('node_modules/.bin/b'));
  }

  describe('copy', () => {
    it('copies files and folders, and passes over what is missing', async () => {
      await rig.write({ '.env': 'SECRET=1\n', 'cache/deep/file': 'warm' });
      expect(await setUp({ copy: ['.env', 'cache/', 'missing'] })).toBeNull();
      expect(await readFile(inTree('.env'), 'utf8')).toBe('SECRET=1\n');
      await writeFile(inTree('cache/deep/file'), 'own');
      expect(await readFile(inMain('cache/deep/file'), 'utf8')).toBe('warm');
      expect(await status()).toBe('');
    });

    it('never replaces a file of the commit', async () => {
      await rig.write({ 'a.txt': 'changed in the main checkout\n' });
      expect(await setUp({ copy: ['a.txt', 'packages'] })).toBeNull();
      expect(await readFile(inTree('a.txt'), 'utf8')).toBe('one\n');
    });

    it('refuses what git does not ignore and takes it away again, so that no secret lands', async () => {
      await rig.write({ 'secret *.pem': 'key', 'packages/a/key': 'key', '.env': 'ignored' });
      const failure = await setUp({ copy: ['.env', 'secret *.pem', 'packages'] });
      expect(failure).toMatchObject({ kind: 'setup-failed', step: 'bring packages/a/key' });
      expect(existsSync(inTree('secret *.pem'))).toBe(false);
      expect(existsSync(inTree('packages/a/key'))).toBe(false);
      expect(await status()).toBe('');
    });

    it.each(['../outside', '/etc/hostname', '.', '.git/config', 'packages/../../x'])(
      'refuses the path %s',
      async (path) => {
        const failure = await setUp({ copy: [path] });
        expect(failure).toMatchObject({ kind: 'setup-failed', step: `copy ${path}` });
      },
    );

    it('does not write through a link that leads out of the worktree', async () => {
      const outside = join(rig.root, '..', 'outside');
      await mkdir(outside);
      await rig.write({ 'config/.env': 'SECRET=1\n' });
      await symlink(outside, inTree('config'));
      expect(await setUp({ copy: ['config/.env'] })).toMatchObject({
        tail: 'config is no folder in the worktree.',
      });
      expect(existsSync(join(outside, '.env'))).toBe(false);
    });
  });

  describe('hardlink', () => {
    it('gives files a second name, that of the main checkout', async () => {
      await rig.write({ 'cache/deep/file': 'warm' });
      expect(await setUp({ hardlink: ['cache'] })).toBeNull();
      const [own, main] = await Promise.all(
        [inTree, inMain].map((at) => lstat(at('cache/deep/file'))),
      );
      expect(own?.ino).toBe(main?.ino);
      expect(await status()).toBe('');
    });

    it('keeps the file of the main checkout when the worktree is deleted', async () => {
      await rig.write({ 'cache/deep/file': 'warm' });
      await setUp({ hardlink: ['cache'] });
      await rig.pool.remove(worktree);
      await rig.pool.close();
      expect(await readFile(inMain('cache/deep/file'), 'utf8')).toBe('warm');
    });

    it('refuses what git does not ignore, and paths out of the repository', async () => {
      await rig.write({ 'key.pem': 'key' });
      expect(await setUp({ hardlink: ['key.pem'] })).toMatchObject({ step: 'bring key.pem' });
      expect(existsSync(inTree('key.pem'))).toBe(false);
      expect(await setUp({ hardlink: ['../x'] })).toMatchObject({ step: 'hardlink ../x' });
    });
  });

  describe('link', () => {
    it('links a folder as a whole', async () => {
      await rig.write({ 'cache/file': 'warm' });
      expect(await setUp({ link: ['cache', 'missing'] })).toBeNull();
      expect(await readlink(inTree('cache'))).toBe(inMain('cache'));
      expect(await status()).toBe('');
    });

    it('refuses a link that git does not ignore, as with a pattern for folders only', async () => {
      await rig.write({ 'dist/file': 'built' });
      const failure = await setUp({ link: ['dist'] });
      expect(failure).toMatchObject({ kind: 'setup-failed', step: 'bring dist' });
      expect(existsSync(inTree('dist'))).toBe(false);
      expect(existsSync(inMain('dist/file'))).toBe(true);
    });

    it('gives a workspace package the worktree’s own siblings, and installed ones from the main checkout', async () => {
      await install();
      expect(await setUp({ link: ['node_modules'] })).toBeNull();
      await writeFile(inTree('packages/a/index.js'), "module.exports = 'mine';\n");
      const script = 'process.stdout.write(String(require("@x/b")))';
      expect(execFileSync('node', ['-e', script], { cwd: worktree }).toString()).toBe('mine,plain');
    });

    it('is a real folder with one link per package, one level deeper for scopes', async () => {
      await install();
      await setUp({ link: ['node_modules'] });
      const kindOf = async (path: string) =>
        (await lstat(inTree(path))).isSymbolicLink() ? await readlink(inTree(path)) : 'own';
      expect(await kindOf('node_modules')).toBe('own');
      expect(await kindOf('node_modules/plain')).toBe(inMain('node_modules/plain'));
      expect(await kindOf('node_modules/@y')).toBe('own');
      expect(await kindOf('node_modules/@y/c')).toBe(inMain('node_modules/@y/c'));
      expect(await kindOf('node_modules/@x/a')).toBe('../../packages/a');
      expect(await kindOf('node_modules/.bin/plain')).toBe('../plain/index.js');
      expect(await realpath(inTree('node_modules/.bin/b'))).toBe(inTree('packages/b/index.js'));
      expect(await kindOf('node_modules/.package-lock.json')).toBe('own');
      expect(existsSync(inTree('node_modules/.cache'))).toBe(false);
      expect(await status()).toBe('');
    });

    it('brings the packages installed in a workspace package, too', async () => {
      await install();
      await setUp({ link: ['node_modules'] });
      expect(await readlink(inTree('packages/b/node_modules/nested'))).toBe(
        inMain('packages/b/node_modules/nested'),
      );
    });

    it('leads to the main checkout for packages kept in a store beside the others', async () => {
      await rig.write({ 'node_modules/.pnpm/d@1/node_modules/d/index.js': '' });
      await symlink('.pnpm/d@1/node_modules/d', inMain('node_modules/d'));
      await setUp({ link: ['node_modules'] });
      expect(await realpath(inTree('node_modules/d'))).toBe(
        inMain('node_modules/.pnpm/d@1/node_modules/d'),
      );
    });

    it('finds the workspace packages where the packages lie in a store, and does not show the store', async () => {
      await rig.write({
        'node_modules/.pnpm/d@1/node_modules/d/index.js': "module.exports = 'd';\n",
      });
      await symlink('.pnpm/d@1/node_modules/d', inMain('node_modules/d'));
      await mkdir(inMain('packages/b/node_modules/@x'), { recursive: true });
      await symlink('../../../a', inMain('packages/b/node_modules/@x/a'));
      await symlink(
        '../../../node_modules/.pnpm/d@1/node_modules/d',
        inMain('packages/b/node_modules/plain'),
      );
      expect(await setUp({ link: ['node_modules'] })).toBeNull();
      await writeFile(inTree('packages/a/index.js'), "module.exports = 'mine';\n");
      const script = 'process.stdout.write(String(require("./packages/b")) + require("d"))';
      expect(execFileSync('node', ['-e', script], { cwd: worktree }).toString()).toBe('mine,dd');
      expect(existsSync(inTree('node_modules/.pnpm'))).toBe(false);
    });

    it('makes no folder for a workspace package that the worktree does not have', async () => {
      await install();
      await rm(inTree('packages/b'), { recursive: true });
      expect(await setUp({ link: ['node_modules'] })).toBeNull();
      expect(existsSync(inTree('packages/b'))).toBe(false);
    });

    it('takes away what git does not ignore without a word where nobody asked for it', async () => {
      await rig.write({ 'packages/a/node_modules/x/index.js': '', 'other/file': '' });
      expect(await setUp({ link: ['other'], byDefault: true })).toBeNull();
      expect(existsSync(inTree('other'))).toBe(false);
      expect(await status()).toBe('');
    });

    it('may be done twice', async () => {
      await install();
      expect(await setUp({ link: ['node_modules'], copy: ['cache'] })).toBeNull();
      expect(await setUp({ link: ['node_modules'], copy: ['cache'] })).toBeNull();
    });

    it('does not empty the main checkout’s folder when the worktree is deleted', async () => {
      await install();
      await setUp({ link: ['node_modules'] });
      await rig.pool.remove(worktree);
      await rig.pool.close();
      expect(existsSync(worktree)).toBe(false);
      expect(existsSync(inMain('node_modules/plain/index.js'))).toBe(true);
    });
  });

  describe('run', () => {
    it('runs shell commands in the worktree with the given environment, in order', async () => {
      expect(await setUp({ run: ['echo "$GREETING" > out', 'cat out && pwd'] })).toBeNull();
      const log = await readFile(join(rig.root, '..', 'setup.log'), 'utf8');
      expect(log).toBe(`hello\n${worktree}\n`);
    });

    it('stops at the first that fails and tells the end of its output', async () => {
      const failure = await setUp({ run: ['echo fine', 'echo broken >&2; exit 3', 'touch never'] });
      const step = 'echo broken >&2; exit 3';
      expect(failure).toEqual({ kind: 'setup-failed', step, tail: 'broken\n' });
      expect(existsSync(inTree('never'))).toBe(false);
    });

    it('tells why a command could not be started', async () => {
      const runner = { start: () => Promise.reject(new Error('no shell')) };
      const setup = { copy: [], link: [], run: ['true'] };
      const logPath = join(rig.root, '..', 'setup.log');
      const failure = await setUpWorktree({
        ...rig.options,
        runner,
        worktree,
        setup,
        env: {},
        logPath,
      });
      expect(failure).toEqual({ kind: 'setup-failed', step: 'true', tail: 'no shell' });
    });
  });
});
