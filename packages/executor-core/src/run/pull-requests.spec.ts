import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { RunResult } from '../model/result';
import type { Plan, Settings } from '../model/task';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import type { TaskDraft } from '../testing/plan';
import { planOf } from '../testing/plan';
import type { Engine } from './engine';
import { openEngine } from './engine';
import { runSingleTask } from './nx-door';
import { comparePage } from './remote';
import { startRun } from './run';
import { finishSharedRun } from './shared-run';

jest.setTimeout(120_000);

/** Stands for the web service: knows the pull requests that were made, and notes what it was asked. */
const GH = `#!/bin/sh
here=$(dirname "$0")
echo "$*" | tr '\\n' ' ' >> "$here/asked"; echo >> "$here/asked"
case "$1 $2" in
  "auth status") [ ! -e "$here/logged-out" ] ;;
  "pr list") [ -e "$here/pr-$(echo "$4" | tr / _)" ] && echo '[{"url":"https://web.test/old"}]' || echo '[]' ;;
  "pr create") touch "$here/pr-$(echo "$4" | tr / _)"; echo "https://web.test/$4" ;;
esac
`;

describe('land: pr', () => {
  let repository: TestRepository;
  let bin: string;
  let remote: string;

  beforeEach(async () => {
    repository = await makeRepository({ 'README.md': 'hello\n' });
    const beside = dirname(repository.root);
    [bin, remote] = [join(beside, 'bin'), join(beside, 'remote.git')];
    mkdirSync(bin);
    await repository.git(['init', '--quiet', '--bare', remote]);
    await repository.git(['remote', 'add', 'origin', remote]);
    await repository.git(['push', '--quiet', 'origin', 'main']);
  });
  afterEach(() => repository.cleanup());

  const installGh = (): void => {
    writeFileSync(join(bin, 'gh'), GH);
    chmodSync(join(bin, 'gh'), 0o755);
  };
  const asked = (what: string): string[] =>
    existsSync(join(bin, 'asked'))
      ? readFileSync(join(bin, 'asked'), 'utf8')
          .split('\n')
          .filter((line) => line.startsWith(what))
      : [];
  const planWith = (
    settings: Partial<Settings>,
    tasks: readonly (TaskDraft | string)[] = ['a', { id: 'b', dependsOn: ['a'] }, 'c'],
  ): Plan =>
    planOf({
      agents: [{ command: 'mkdir $PARALLEL_TASK_ID && echo x > $PARALLEL_TASK_ID/out.txt' }],
      tasks,
      settings: { land: 'pr', ...settings },
    });
  const open = (): Promise<Engine> => {
    const tools = nodeToolbox();
    const env = { ...tools.env, PATH: `${bin}:${tools.env['PATH'] ?? ''}` };
    return openEngine({ ...tools, env }, repository.root, 30_000);
  };
  const run = async (...given: Parameters<typeof planWith>): Promise<RunResult> =>
    (await startRun(await open(), planWith(...given), { frontDoor: 'api' })).done;
  const there = (...args: string[]): Promise<string> =>
    repository.git([`--git-dir=${remote}`, ...args]);
  const filesOf = async (branch: string): Promise<string> =>
    (await there('ls-tree', '-r', '--name-only', branch)).split('\n').join(' ');

  it('pushes one branch for the run and asks once for it to be taken', async () => {
    installGh();
    const before = await repository.git(['rev-parse', 'main']);
    const result = await run({});
    const branch = `parallel/${result.parallel_execution.id}`;
    expect(await filesOf(branch)).toBe('README.md a/out.txt b/out.txt c/out.txt');
    expect(await repository.git(['rev-parse', 'main'])).toBe(before);
    expect(asked('pr create')).toHaveLength(1);
    expect(asked('pr create')[0]).toContain(`--head ${branch} --base main --title`);
    expect(result.landing).toMatchObject({
      mode: 'pr',
      ref: `refs/heads/${branch}`,
      pull_requests: [{ branch, base: 'main', url: `https://web.test/${branch}`, reason: null }],
    });
  });

  it('takes one branch per task, that of a dependant on top of what it depends on', async () => {
    installGh();
    const result = await run({ pullRequests: 'task' });
    const branch = (task: string): string => `parallel/${result.parallel_execution.id}-${task}`;
    expect(
      result.landing.pull_requests.map(({ branch: name, base }) => [name, base]).sort(),
    ).toEqual([
      [branch('a'), 'main'],
      [branch('b'), branch('a')],
      [branch('c'), 'main'],
    ]);
    expect(await filesOf(branch('b'))).toBe('README.md a/out.txt b/out.txt');
    expect(await filesOf(branch('c'))).toBe('README.md c/out.txt');
    expect(await there('rev-parse', `${branch('b')}^`)).toBe(await there('rev-parse', branch('a')));
    expect(
      await there('log', '-1', '--format=%(trailers:key=Parallel-Task,valueonly)', branch('c')),
    ).toContain('c');
  });

  it('takes one branch for the tasks that are linked with each other', async () => {
    installGh();
    const result = await run({ pullRequests: 'lane' });
    const found = result.landing.pull_requests.map(({ tasks }) => tasks.join(' '));
    expect(found.sort()).toEqual(['a b', 'c']);
    expect(await filesOf(`parallel/${result.parallel_execution.id}-a`)).toBe(
      'README.md a/out.txt b/out.txt',
    );
  });

  it('asks under Nx when the command is over, for what all of its processes landed', async () => {
    installGh();
    const runId = 'PEXEC-1705323000000';
    const plan = planWith({ pullRequests: 'lane' }, ['a', 'c']);
    for (const task of ['a', 'c'])
      expect(await runSingleTask(await open(), plan, { task, runId })).toMatchObject({
        success: true,
      });
    expect(asked('pr create')).toEqual([]);
    const result = await finishSharedRun(await open(), runId);
    expect(result?.landing.pull_requests).toMatchObject([
      { branch: `parallel/${runId}-a`, tasks: ['a'], url: `https://web.test/parallel/${runId}-a` },
      { branch: `parallel/${runId}-c`, tasks: ['c'], url: `https://web.test/parallel/${runId}-c` },
    ]);
    expect(await filesOf(`parallel/${runId}-c`)).toBe('README.md c/out.txt');
    expect(asked('pr create')).toHaveLength(2);
  });

  it('finds the pull request that exists for the branch instead of opening another', async () => {
    installGh();
    // As after a kill between the two: the service knows it, the journal does not.
    writeFileSync(join(bin, 'gh'), GH.replace('[ -e "$here/pr-$(echo "$4" | tr / _)" ]', 'true'));
    const result = await run({}, ['a']);
    expect(asked('pr create')).toEqual([]);
    expect(result.landing.pull_requests[0]?.url).toBe('https://web.test/old');
  });

  it('pushes without gh, or with one that is logged out, and says how to go on', async () => {
    installGh();
    writeFileSync(join(bin, 'logged-out'), '');
    const result = await run({}, ['a']);
    const branch = `parallel/${result.parallel_execution.id}`;
    expect(await filesOf(branch)).toBe('README.md a/out.txt');
    expect(result.landing.pull_requests).toMatchObject([{ url: null }]);
    expect(result.landing.pull_requests[0]?.reason).toContain(
      `gh is not logged in (gh auth login). Open it: gh pr create --head ${branch} --base main`,
    );
  });

  it('tells why a branch could not be pushed, and keeps the work', async () => {
    installGh();
    writeFileSync(
      join(remote, 'hooks', 'pre-receive'),
      '#!/bin/sh\necho "closed today" >&2; exit 1\n',
    );
    chmodSync(join(remote, 'hooks', 'pre-receive'), 0o755);
    const result = await run({}, ['a']);
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(result.landing.pull_requests[0]?.reason).toContain('closed today');
    expect(asked('pr create')).toEqual([]);
  });

  it('is refused before anything starts where there is no remote', async () => {
    await repository.git(['remote', 'remove', 'origin']);
    await expect(run({}, ['a'])).rejects.toThrow('this repository has none');
    expect(await repository.git(['for-each-ref', 'refs/parallel'])).toBe('');
    expect(existsSync(join(repository.root, '.parallel', 'current'))).toBe(false);
  });

  it('goes to the remote that the branch follows', async () => {
    installGh();
    await repository.git(['remote', 'rename', 'origin', 'upstream']);
    await repository.git(['remote', 'add', 'origin', '/does/not/exist']);
    await repository.git(['branch', '--set-upstream-to=upstream/main', 'main']);
    const result = await run({}, ['a']);
    expect(await filesOf(`parallel/${result.parallel_execution.id}`)).toContain('a/out.txt');
  });
});

describe('comparePage', () => {
  it.each([
    'git@github.com:o/r.git',
    'https://github.com/o/r',
    'https://user:token@github.com/o/r.git',
    'ssh://git@github.com/o/r.git',
  ])('knows the page of %s, without what is secret in it', (url) => {
    expect(comparePage(url, 'main', 'parallel/x')).toBe(
      'https://github.com/o/r/compare/main...parallel%2Fx?expand=1',
    );
  });
  it.each(['/srv/r.git', 'https://gitlab.com/o/r.git'])('does not guess for %s', (url) => {
    expect(comparePage(url, 'main', 'x')).toBeNull();
  });
});
