import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';

import { UserError } from '../model/user-error';
import { type Git, GitError } from '../ports/git';
import { makeRepository, type TestRepository } from '../testing/git-repository';
import { gitAdapter } from './simple-git';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('gitAdapter', () => {
  let repository: TestRepository;
  let git: Git;

  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'one\n' });
    git = gitAdapter();
  });
  afterEach(() => repository.cleanup());

  const here = () => ({ cwd: repository.root });

  it('works in a folder with a space and a letter beyond ASCII in its path', async () => {
    expect(repository.root).toMatch(/my répo$/);
    expect(await git.text(['rev-parse', '--show-toplevel'], here())).toBe(repository.root);
  });

  it('returns the exit code and the tree of a merge with a conflict, which git tells on stdout only', async () => {
    await repository.git(['switch', '--quiet', '-c', 'side']);
    await repository.commit({ 'a.txt': 'side\n' }, 'side');
    await repository.git(['switch', '--quiet', 'main']);
    await repository.commit({ 'a.txt': 'main\n' }, 'main');
    const result = await git.run(['merge-tree', '--write-tree', '-z', 'main', 'side'], here());
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe('');
    expect(result.stdout).toMatch(/^[0-9a-f]{40}\0/);
    expect(result.stdout).toContain('CONFLICT (content)');
  });

  it('separates stdout from stderr, also when the exit code is 0', async () => {
    await repository.git(['branch', 'side']);
    const result = await git.run(['checkout', 'side'], here());
    expect(result).toEqual({ exitCode: 0, stdout: '', stderr: "Switched to branch 'side'\n" });
  });

  it('feeds standard input', async () => {
    const id = await git.text(['hash-object', '-w', '--stdin'], { ...here(), stdin: 'größe\0\n' });
    const content = await git.run(['cat-file', 'blob', id], here());
    expect(content.stdout).toBe('größe\0\n');
  });

  it('closes standard input when there is nothing to feed', async () => {
    const result = await git.run(['update-ref', '--stdin'], { ...here(), stdin: '' });
    expect(result.exitCode).toBe(0);
    expect((await git.run(['hash-object', '--stdin'], here())).exitCode).toBe(0);
  });

  it('survives a git that ends before it has read its input', async () => {
    const result = await git.run(['update-ref', '--stdin', '--nonsense'], {
      ...here(),
      stdin: 'x'.repeat(4_000_000),
    });
    expect(result.exitCode).toBe(129);
  });

  it('returns large NUL-separated output whole and in order', async () => {
    const blob = await repository.git(['rev-parse', 'HEAD:a.txt']);
    const names = Array.from(
      { length: 20_000 },
      (_, n) => `ordner ü/${String(n).padStart(80, '0')}`,
    );
    const stdin = names.map((name) => `100644 ${blob}\t${name}\0`).join('');
    await git.text(['update-index', '-z', '--index-info'], { ...here(), stdin });
    const listed = await git.text(['ls-files', '-z', 'ordner ü'], here());
    expect(listed.split('\0').slice(0, -1)).toEqual(names);
  });

  it('ignores GIT_* variables, editors and pagers set outside', async () => {
    const hostile = gitAdapter({
      ...process.env,
      GIT_DIR: '/nowhere',
      GIT_WORK_TREE: '/nowhere',
      GIT_INDEX_FILE: '/nowhere/index',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'Mallory',
      EDITOR: 'false',
      PAGER: 'false',
    });
    expect(await hostile.text(['rev-parse', '--show-toplevel'], here())).toBe(repository.root);
    expect(await hostile.text(['config', 'user.name'], here())).toBe('Test');
    expect(await hostile.text(['status', '--porcelain'], here())).toBe('');
  });

  it('adds the variables of the call', async () => {
    const index = join(repository.root, '..', 'other index');
    await git.text(['read-tree', 'HEAD'], { ...here(), env: { GIT_INDEX_FILE: index } });
    expect(existsSync(index)).toBe(true);
    expect(await git.text(['status', '--porcelain'], here())).toBe('');
  });

  it('does not run a hook planted in the repository', async () => {
    const proof = join(repository.root, '..', 'hook ran');
    const hook = join(repository.root, '.git/hooks/pre-commit');
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, `#!/bin/sh\n: > '${proof}'\n`);
    await chmod(hook, 0o755);
    await repository.write({ 'b.txt': 'two\n' });
    await git.text(['add', '--all'], here());
    await git.text(['commit', '-m', 'by us'], here());
    expect(existsSync(proof)).toBe(false);
    await repository.commit({ 'c.txt': 'three\n' }, 'by a person');
    expect(existsSync(proof)).toBe(true);
  });

  it('rejects with the command and git’s own words when text is asked for and git fails', async () => {
    const refused = git.text(['rev-parse', '--verify', 'nothing'], here());
    await expect(refused).rejects.toBeInstanceOf(GitError);
    await expect(refused).rejects.toThrow(
      'git rev-parse --verify nothing failed (exit 128): fatal: Needed a single revision',
    );
  });

  it('speaks English whatever the language of the system', async () => {
    const german = gitAdapter({
      ...process.env,
      LANG: 'de_DE.UTF-8',
      LANGUAGE: 'de',
      LC_ALL: 'de_DE.UTF-8',
    });
    const result = await german.run(['rev-parse', '--verify', 'nothing'], here());
    expect(result.stderr).toBe('fatal: Needed a single revision\n');
  });

  it('answers with exit code 128 when the folder is missing or no folder', async () => {
    const missing = join(repository.root, 'missing');
    const result = await git.run(['status'], { cwd: missing });
    expect(result.exitCode).toBe(128);
    expect(result.stderr).toContain(missing);
    expect((await git.run(['status'], { cwd: join(repository.root, 'a.txt') })).exitCode).toBe(128);
  });

  it('tells the person to install git when there is none', async () => {
    const tools = join(repository.root, '..', 'tools');
    await mkdir(tools);
    const nothing = () =>
      gitAdapter({ PATH: tools, GIT_CONFIG_GLOBAL: devNull }).run(['version'], here());
    await expect(nothing()).rejects.toBeInstanceOf(UserError);
    await symlink('/usr/bin/setsid', join(tools, 'setsid'));
    await expect(nothing()).rejects.toBeInstanceOf(UserError);
  });

  it.each([
    [['rev-parse', 'HEAD'], 0],
    [['update-ref', 'refs/heads/x', 'HEAD'], -1],
  ])('asks a killed git %j once more if it only looks: exit code %i', async (args, exitCode) => {
    const { root } = repository;
    const bin = join(root, 'bin');
    await mkdir(bin);
    const once = `if mkdir "${bin}/killed" 2>/dev/null; then kill -9 $$; fi`;
    const path = process.env['PATH'] ?? '';
    await writeFile(join(bin, 'git'), `#!/bin/sh\n${once}\nPATH='${path}' exec git "$@"\n`, {
      mode: 0o755,
    });
    const killed = gitAdapter({ ...process.env, PATH: `${bin}:${path}` });
    expect((await killed.run(args, here())).exitCode).toBe(exitCode);
  });

  it('keeps the answers of concurrent calls apart', async () => {
    const words = Array.from({ length: 60 }, (_, n) => `word-${n}`);
    const results = await Promise.all(
      words.map((word, n) =>
        n % 2 === 0
          ? git.run(['rev-parse', '--verify', word], here())
          : git.run(['hash-object', '--stdin'], { ...here(), stdin: word }),
      ),
    );
    expect(results.map((result) => result.exitCode)).toEqual(
      words.map((_, n) => (n % 2 === 0 ? 128 : 0)),
    );
    expect(new Set(results.filter((r) => r.exitCode === 0).map((r) => r.stdout)).size).toBe(30);
  });

  const onLinux = existsSync('/usr/bin/setsid') ? it : it.skip;
  onLinux('runs git outside our process group, where Ctrl-C does not reach it', async () => {
    await repository.git(['config', 'alias.group', '!cat /proc/$$/stat | cut -d" " -f5']);
    const ours = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[2];
    expect(ours).toMatch(/^\d+$/);
    expect(await git.text(['group'], here())).toMatch(/^\d+$/);
    expect(await git.text(['group'], here())).not.toBe(ours);
  });

  it('does not wait after a git that prints nothing', async () => {
    const took: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      const started = performance.now();
      await git.run(['update-ref', '--stdin'], here());
      took.push(performance.now() - started);
    }
    expect(Math.min(...took)).toBeLessThan(50);
  });
});
