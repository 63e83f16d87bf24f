import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { RunResult } from '../model/result';
import type { Settings } from '../model/task';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import { openEngine } from './engine';
import { startRun } from './run';

jest.setTimeout(60_000);

let repository: TestRepository;
beforeEach(async () => {
  repository = await makeRepository({ 'README.md': 'hello\n' });
});
afterEach(() => repository.cleanup());

const git = (...args: string[]): Promise<string> => repository.git(args);
const lines = async (...args: string[]): Promise<string[]> =>
  (await git(...args)).split('\n').filter(Boolean);

async function run(settings: Partial<Settings>): Promise<RunResult> {
  const plan = planOf({
    agents: [{ command: 'mkdir $PARALLEL_TASK_ID && echo x > $PARALLEL_TASK_ID/out.txt' }],
    tasks: ['a', { id: 'b', dependsOn: ['a'] }],
    settings,
  });
  const engine = await openEngine(nodeToolbox(), repository.root, 30_000);
  return (await startRun(engine, plan, { frontDoor: 'api' })).done;
}
const TASKS = '--format=%(trailers:key=Parallel-Task,valueonly,separator=%x2C)';

describe('land', () => {
  it('target: moves the branch and the clean checkout, and nothing is left to do', async () => {
    const { landing } = await run({});
    expect(landing).toMatchObject({
      mode: 'target',
      ref: 'refs/heads/main',
      take: null,
      held: null,
    });
    expect(await git('status', '--porcelain')).toBe('');
  });

  it('target: leaves a checkout alone that is in the way, and tells how to take the work', async () => {
    await repository.write({ 'a/out.txt': 'mine\n' });
    const { landing, parallel_execution: done } = await run({});
    expect(landing.held).toContain('a/out.txt');
    expect(landing.take).toBe(`git merge refs/parallel/${done.id}/_integration`);
    await repository.git(['clean', '-qfd', 'a']);
    await git(...(landing.take ?? '').split(' ').slice(1), '--quiet');
    expect(await git('ls-files')).toContain('b/out.txt');
  });

  it('branch: leaves the work on a branch of its own, and tells how to take it', async () => {
    const before = await git('rev-parse', 'main');
    const { landing, parallel_execution: done } = await run({ land: 'branch' });
    expect(await git('rev-parse', 'main')).toBe(before);
    expect(landing.take).toBe(`git merge parallel/${done.id}`);
    await git('merge', '--quiet', '--ff-only', `parallel/${done.id}`);
    expect(await git('ls-files')).toContain('b/out.txt');
  });

  it('none: moves no branch, and tells the ref that has the work', async () => {
    const { landing } = await run({ land: 'none' });
    expect(await git('branch', '--format=%(refname:short)')).toBe('main');
    expect(landing.take).toBe(`git merge ${landing.ref}`);
    expect(await git('ls-tree', '-r', '--name-only', landing.ref)).toContain('b/out.txt');
  });
});

describe('commits', () => {
  it('squash: the target gets one commit at the end, and the tasks keep theirs under the run', async () => {
    const before = await git('rev-parse', 'main');
    const result = await run({ commits: 'squash' });
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(await lines('log', '--first-parent', TASKS, `${before}..main`)).toEqual(['a,b']);
    expect(await git('rev-parse', 'main^')).toBe(before);
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('ls-files')).toContain('b/out.txt');
    const integration = `refs/parallel/${result.parallel_execution.id}/_integration`;
    expect(await lines('log', '--first-parent', TASKS, `${before}..${integration}`)).toEqual([
      'b',
      'a',
    ]);
    expect(result.target).toMatchObject({ commit: await git('rev-parse', 'main'), held: null });
  });

  it('squash on a branch of its own begins where the run began', async () => {
    const before = await git('rev-parse', 'main');
    const result = await run({ commits: 'squash', land: 'branch' });
    const branch = `parallel/${result.parallel_execution.id}`;
    expect(await lines('log', TASKS, `${before}..${branch}`)).toEqual(['a,b']);
    expect(await git('rev-parse', 'main')).toBe(before);
  });

  it('merge: each task lands as a merge whose second parent is its candidate', async () => {
    const before = await git('rev-parse', 'main');
    await run({ commits: 'merge' });
    const chain = await lines('log', '--first-parent', '--format=%H', `${before}..main`);
    expect(chain).toHaveLength(2);
    for (const commit of chain) {
      const candidate = await git('rev-parse', `${commit}^2`);
      expect(await git('show', '-s', '--format=%B', commit)).toContain(
        `Parallel-Candidate: ${candidate}`,
      );
    }
  });

  it('are by the agent when the plan says so', async () => {
    await run({ commit: { author: 'agent', sign: 'auto' } });
    expect(await git('log', '-1', '--format=%an|%cn')).toBe('shell|Test');
  });

  it('that cannot be signed are refused before anything starts', async () => {
    await git('config', 'gpg.format', 'ssh');
    await git('config', 'user.signingKey', '/does/not/exist');
    await git('config', 'commit.gpgSign', 'true');
    await expect(run({})).rejects.toThrow(/git cannot sign/);
    const state = join(repository.root, '.parallel');
    expect(existsSync(join(state, 'runs')) ? readdirSync(join(state, 'runs')) : []).toEqual([]);
    expect(readdirSync(state).filter((name) => name.startsWith('signing'))).toEqual([]);
    await run({ commit: { author: 'user', sign: 'never' } });
    expect(await git('ls-files')).toContain('a/out.txt');
  });
});
