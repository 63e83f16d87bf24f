import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canMountOverlay } from '../testing/can-mount-overlay';
import { makeRunRig, type RunRig } from '../testing/run-rig';

/** Whole runs with real git, on a machine that may be busy. */
jest.setTimeout(60_000);

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
const CONTENT = 'the large content\n';
const FILES = {
  '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
  'big.bin': POINTER,
  'src/a.txt': 'a\n',
  'other/b.txt': 'b\n',
};

describe.each(['full', 'sparse', ...(canMountOverlay() ? (['overlay'] as const) : [])] as const)(
  'with %s worktrees',
  (worktrees) => {
    let rig: RunRig;

    beforeEach(async () => {
      rig = await makeRunRig(FILES);
    });
    afterEach(() => rig.done());

    const land = async (command: string) => {
      const { result } = await rig.run({
        settings: {
          worktrees,
          retry: { maxRetries: 0, backoff: 'none', baseMs: 1, maxMs: 1 },
        },
        agents: [{ command: ['/bin/sh', '-c', command] }],
        tasks: [{ id: 'task', reads: ['src/**'], writes: ['src/**', '*.bin'] }],
      });
      return result.parallel_execution.status;
    };
    /** A program that tells that it was started. */
    const tattler = async (name: string) => {
      const [program, told] = [join(rig.root, '.git', name), join(rig.root, '.git', `${name}.ran`)];
      await writeFile(program, `#!/bin/sh\necho ran >> "${told}"\nexit 1\n`);
      await chmod(program, 0o755);
      return { program, ran: () => existsSync(told) };
    };

    it('leaves a pointer of Git LFS what it is where that is not installed', async () => {
      const command = 'cat big.bin > src/seen; cp big.bin new.bin; touch big.bin';
      expect(await land(command)).toBe('completed');
      for (const path of ['src/seen', 'new.bin', 'big.bin'])
        expect(`${await rig.git('show', `main:${path}`)}\n`).toBe(POINTER);
    });

    it('gives agents the content that Git LFS keeps, and lands pointers byte for byte', async () => {
      const program = async (name: string, text: string) => {
        const [path, output] = [
          join(rig.root, '.git', name),
          join(rig.root, '.git', `${name}.out`),
        ];
        await writeFile(output, text);
        await writeFile(path, `#!/bin/sh\ncat > /dev/null\ncat '${output}'\n`);
        await chmod(path, 0o755);
        await rig.git('config', `filter.lfs.${name}`, `'${path}'`);
      };
      await program('smudge', CONTENT);
      await program('clean', POINTER);
      await rig.git('config', 'filter.lfs.required', 'true');
      const command = 'cat big.bin > src/seen; cp big.bin new.bin; touch big.bin';
      expect(await land(command)).toBe('completed');
      expect(`${await rig.git('show', 'main:src/seen')}\n`).toBe(CONTENT);
      for (const path of ['new.bin', 'big.bin'])
        expect(`${await rig.git('show', `main:${path}`)}\n`).toBe(POINTER);
      expect(await readFile(join(rig.root, 'new.bin'), 'utf8')).toBe(CONTENT);
      expect(await rig.git('status', '--porcelain')).toBe('');
    });

    it('runs no hook of the repository, wherever its hooks are', async () => {
      const hook = await tattler('hook');
      await mkdir(join(rig.root, '.git/husky'));
      for (const name of ['post-checkout', 'pre-commit', 'commit-msg', 'reference-transaction'])
        execFileSync('cp', [hook.program, join(rig.root, '.git/husky', name)]);
      await rig.git('config', 'core.hooksPath', join(rig.root, '.git/husky'));
      expect(await land('echo changed > src/a.txt')).toBe('completed');
      expect(await rig.git('show', 'main:src/a.txt')).toBe('changed');
      expect(hook.ran()).toBe(false);
    });

    it('works where worktrees have a configuration of their own', async () => {
      await rig.git('config', 'extensions.worktreeConfig', 'true');
      await rig.git('config', '--worktree', 'user.name', 'Main');
      expect(await land('echo changed > src/a.txt')).toBe('completed');
      expect(await rig.git('show', 'main:src/a.txt')).toBe('changed');
      expect(await rig.git('config', '--worktree', 'user.name')).toBe('Main');
    });

    it('gives worktrees as sparse as the main checkout, lands beside it, and leaves it sparse', async () => {
      await rig.git('sparse-checkout', 'set', 'src');
      expect(await land('test ! -e other && echo changed > src/a.txt')).toBe('completed');
      expect(await rig.git('show', 'main:src/a.txt', 'main:other/b.txt')).toBe('changed\nb');
      expect(await readFile(join(rig.root, 'src/a.txt'), 'utf8')).toBe('changed\n');
      expect(existsSync(join(rig.root, 'other'))).toBe(false);
      expect(await rig.git('status', '--porcelain')).toBe('');
    });

    it('works in a shallow clone', async () => {
      await writeFile(join(rig.root, '.git/shallow'), `${await rig.git('rev-parse', 'HEAD')}\n`);
      expect(await rig.git('rev-parse', '--is-shallow-repository')).toBe('true');
      expect(await land('echo changed > src/a.txt')).toBe('completed');
      expect(await rig.git('show', 'main:src/a.txt')).toBe('changed');
    });

    it('works in a partial clone, where git fetches the files that it shows', async () => {
      const origin = join(rig.root, '.git', 'origin.git');
      execFileSync('git', ['clone', '--quiet', '--bare', rig.root, origin]);
      execFileSync('git', ['-C', origin, 'config', 'uploadpack.allowFilter', 'true']);
      execFileSync('git', ['-C', origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true']);
      const blob = await rig.git('rev-parse', 'HEAD:other/b.txt');
      await rig.git('remote', 'add', 'origin', origin);
      await rig.git('config', 'remote.origin.promisor', 'true');
      await rig.git('config', 'remote.origin.partialclonefilter', 'blob:none');
      const file = join(rig.root, '.git/objects', blob.slice(0, 2), blob.slice(2));
      await rename(file, `${file}.gone`);
      const command = 'if test -e other; then cat other/b.txt; else echo left out; fi > src/a.txt';
      expect(await land(command)).toBe('completed');
      const seen = worktrees === 'sparse' ? 'left out' : 'b';
      expect(await rig.git('show', 'main:src/a.txt')).toBe(seen);
    });

    it('leaves submodules empty and lands beside them', async () => {
      const inner = await rig.git('rev-parse', 'HEAD');
      const url = '[submodule "inner"]\n\tpath = inner\n\turl = /nowhere\n';
      await writeFile(join(rig.root, '.gitmodules'), url);
      await rig.git('add', '.gitmodules');
      await rig.git('update-index', '--add', '--cacheinfo', `160000,${inner},inner`);
      await rig.git('commit', '--quiet', '-m', 'submodule');
      expect(await land('ls inner > src/seen; echo changed > src/a.txt')).toBe('completed');
      expect(await rig.git('show', 'main:src/a.txt')).toBe('changed');
      expect(await rig.git('ls-tree', 'main', 'inner')).toContain(`160000 commit ${inner}`);
    });
  },
);
