import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { gitAdapter } from '../adapters/simple-git';
import { UserError } from '../model/user-error';
import type { Git } from '../ports/git';
import { makeRepository, type TestRepository } from '../testing/git-repository';
import { inspectRepository, lookAgain } from './repository';

/** Real git on a machine that may be busy. */
jest.setTimeout(30_000);

describe('inspectRepository', () => {
  const git = gitAdapter();
  let repository: TestRepository;

  beforeEach(async () => {
    repository = await makeRepository({ 'src/a.txt': 'one\n', 'b.txt': 'two\n' });
  });
  afterEach(() => repository.cleanup());

  const beside = (name: string) => join(repository.root, '..', name);

  async function refusal(cwd: string, with_: Git = git): Promise<UserError> {
    const problem: unknown = await inspectRepository(with_, cwd).catch((error: unknown) => error);
    if (!(problem instanceof UserError))
      throw new Error(`expected a UserError, got ${String(problem)}`);
    expect(problem.kind).toBe('environment');
    return problem;
  }

  const claiming = (version: string): Git => ({
    ...git,
    run: (args, options) =>
      args[0] === 'version'
        ? Promise.resolve({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
        : git.run(args, options),
  });

  it('tells root, folders, head and branch from any folder of the checkout', async () => {
    expect(await inspectRepository(git, join(repository.root, 'src'))).toEqual({
      root: repository.root,
      commonDir: join(repository.root, '.git'),
      gitDir: join(repository.root, '.git'),
      head: await repository.git(['rev-parse', 'HEAD']),
      branch: 'refs/heads/main',
      dirtyFiles: 0,
      isLinkedWorktree: false,
    });
  });

  it('counts what is dirty anywhere, also from a folder below', async () => {
    await repository.write({ 'new.txt': '', 'src/new/a.txt': '' });
    expect(await inspectRepository(git, join(repository.root, 'src/new'))).toMatchObject({
      root: repository.root,
      dirtyFiles: 2,
    });
  });

  it('sees with one question what has changed since', async () => {
    const before = await inspectRepository(git, repository.root);
    await repository.git(['switch', '--quiet', '--create', 'other']);
    await repository.git(['commit', '--quiet', '--allow-empty', '--message', 'more']);
    await repository.write({ 'new.txt': '' });
    const run = jest.fn((...asked: Parameters<Git['run']>) => git.run(...asked));
    expect(await lookAgain({ ...git, run }, before)).toEqual({
      ...before,
      head: await repository.git(['rev-parse', 'HEAD']),
      branch: 'refs/heads/other',
      dirtyFiles: 1,
    });
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('knows a linked worktree and a detached HEAD', async () => {
    await repository.git(['worktree', 'add', '--quiet', '--detach', beside('linked')]);
    const seen = await inspectRepository(git, beside('linked'));
    expect(seen).toMatchObject({ isLinkedWorktree: true, branch: null, root: beside('linked') });
    expect(seen.commonDir).toBe(join(repository.root, '.git'));
    expect(seen.gitDir).toBe(join(repository.root, '.git/worktrees/linked'));
  });

  it('counts changed, renamed and untracked paths once each, whatever the user configured', async () => {
    await repository.git(['config', 'status.showUntrackedFiles', 'no']);
    await repository.git(['mv', 'b.txt', 'c.txt']);
    await repository.write({ 'src/a.txt': 'changed\n', 'new/1': '', 'new/2': '' });
    expect((await inspectRepository(git, repository.root)).dirtyFiles).toBe(4);
  });

  it('accepts a merge that stopped at a conflict', async () => {
    await repository.git(['switch', '--quiet', '-c', 'side']);
    await repository.commit({ 'b.txt': 'side\n' }, 'side');
    await repository.git(['switch', '--quiet', 'main']);
    await repository.commit({ 'b.txt': 'main\n' }, 'main');
    await expect(repository.git(['merge', 'side'])).rejects.toThrow();
    expect(await inspectRepository(git, repository.root)).toMatchObject({ dirtyFiles: 1 });
  });

  it('refuses a folder outside any repository, and says how to make one', async () => {
    const problem = await refusal(beside('.'));
    expect(problem.message).toContain('is not in a git repository');
    expect(problem.fix).toContain('git init');
    expect((await refusal(beside('missing'))).message).toContain('No such file or directory');
  });

  it('refuses a bare repository and the inside of a git folder', async () => {
    await repository.git(['clone', '--quiet', '--bare', repository.root, beside('bare')]);
    expect((await refusal(beside('bare'))).message).toContain('bare repository');
    expect((await refusal(join(repository.root, '.git'))).message).toContain('inside a git folder');
  });

  it('refuses a repository without a commit, and says how to make the first', async () => {
    await mkdir(beside('fresh'));
    await repository.git(['init', '--quiet'], beside('fresh'));
    const problem = await refusal(beside('fresh'));
    expect(problem.message).toContain('no commit yet');
    expect(problem.fix).toBe('Make a first commit: git add -A && git commit');
  });

  it.each(['git version 2.37.7', 'git version 1.99.0', 'git version 2.9.5 (Apple Git-81)'])(
    'refuses %s',
    async (version) => {
      expect((await refusal(repository.root, claiming(version))).fix).toBe(
        'Install git 2.38 or newer.',
      );
    },
  );

  it.each(['git version 2.38.0', 'git version 2.55.0.windows.1', 'git version 3.0.1'])(
    'accepts %s',
    async (version) => {
      const seen = await inspectRepository(claiming(version), repository.root);
      expect(seen.root).toBe(repository.root);
    },
  );
});
