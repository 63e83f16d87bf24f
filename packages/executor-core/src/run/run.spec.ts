import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { RunEvent } from '../model/event';
import type { RunResult } from '../model/result';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import type { PlanDraft } from '../testing/plan';
import { planOf } from '../testing/plan';
import { openEngine } from './engine';
import type { Run } from './run';
import { startRun } from './run';

jest.setTimeout(60_000);

let repository: TestRepository;
beforeEach(async () => {
  repository = await makeRepository({ 'README.md': 'hello\n', '.gitignore': 'node_modules\n' });
});
afterEach(async () => {
  await repository.cleanup();
});

const git = (...args: string[]): Promise<string> => repository.git(args);

async function start(draft: PlanDraft): Promise<Run> {
  const plan = planOf(draft);
  return startRun(
    await openEngine(nodeToolbox(), repository.root, plan.settings.lockTimeoutMs),
    plan,
    { frontDoor: 'api' },
  );
}

async function run(draft: PlanDraft): Promise<{ result: RunResult; events: RunEvent[] }> {
  const started = await start(draft);
  const events: RunEvent[] = [];
  started.events.on((event) => events.push(event));
  return { result: await started.done, events };
}

/** An agent that writes one file into the folder of its task. */
const WRITER = {
  command:
    'mkdir -p "$PARALLEL_TASK_ID" && echo "by $PARALLEL_TASK_ID" > "$PARALLEL_TASK_ID/out.txt"',
};

function worktreesLeft(): string[] {
  const base = join(repository.root, '.worktrees');
  return existsSync(base) ? readdirSync(base).filter((name) => !name.startsWith('.')) : [];
}

describe('a run', () => {
  it('lands the work of every agent on the branch and leaves the checkout clean', async () => {
    const { result } = await run({
      agents: [WRITER],
      tasks: ['a', 'b', { id: 'c', dependsOn: ['a', 'b'] }],
    });
    expect(result.parallel_execution).toMatchObject({
      status: 'completed',
      tasks: { total: 3, completed: 3, failed: 0 },
    });
    expect(await git('ls-files')).toContain('c/out.txt');
    expect(await git('status', '--porcelain')).toBe('');
    expect((await git('log', '--format=%s', '--first-parent')).trim().split('\n')).toHaveLength(4);
    expect(worktreesLeft()).toEqual([]);
    expect(await git('branch', '--format=%(refname:short)')).not.toContain('agent-');
  });

  it('starts a dependant on a base that holds what it depends on', async () => {
    const { result } = await run({
      agents: [
        { command: 'case $PARALLEL_TASK_ID in a) echo 1 > a.txt;; b) cp a.txt b.txt;; esac' },
      ],
      tasks: [
        { id: 'a', writes: ['a.txt'] },
        { id: 'b', dependsOn: ['a'], writes: ['b.txt'] },
      ],
    });
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(await git('show', 'HEAD:b.txt')).toBe('1');
  });

  it('feeds the failure back and lands the second attempt', async () => {
    const { result, events } = await run({
      agents: [
        {
          command:
            'if [ "$PARALLEL_ATTEMPT" = 1 ]; then echo boom >&2; exit 3; fi; cp "$PARALLEL_FEEDBACK_FILE" a.txt',
        },
      ],
      tasks: [{ id: 'a', writes: ['a.txt'] }],
    });
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await git('show', 'HEAD:a.txt')).toMatch(
      /Attempt 1 failed: agent exited with code 3\.[^]*boom/,
    );
    expect(events.filter((event) => event.type === 'task:retrying')).toHaveLength(1);
  });

  it('does not land what was written outside the write set, and keeps it under a ref', async () => {
    const { result } = await run({
      agents: [{ command: 'echo x > outside.txt' }],
      settings: { retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } },
      tasks: ['a'],
    });
    expect(result.failures).toMatchObject([{ task: 'a', kind: 'lock-violation' }]);
    expect(existsSync(join(repository.root, 'outside.txt'))).toBe(false);
    const salvage = result.failures[0]?.salvage ?? '';
    expect(await git('show', `${salvage}:outside.txt`)).toBe('x');
  });

  it('verifies the merged tree: the culprit goes back, the others land', async () => {
    const { result } = await run({
      agents: [WRITER],
      settings: {
        verify: ['! test -e b/out.txt'],
        retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 },
      },
      tasks: ['a', 'b', 'c'],
    });
    expect(result.parallel_execution.tasks).toMatchObject({ completed: 2, failed: 1 });
    expect((await git('ls-files', '*/out.txt')).trim().split('\n')).toEqual([
      'a/out.txt',
      'c/out.txt',
    ]);
    expect(worktreesLeft()).toEqual([]);
  });

  it('checks every commit where the plan says so: no half lands before the other', async () => {
    // They end together, and are queued in the order of the plan.
    const meet = `touch '${repository.root}/.git/'$PARALLEL_TASK_ID; until [ -e '${repository.root}/.git/a' -a -e '${repository.root}/.git/b' ]; do sleep 0.02; done`;
    const { result } = await run({
      agents: [{ command: `${meet}; echo > $PARALLEL_TASK_ID.txt` }],
      settings: {
        verify: ['! test -e a.txt || test -e b.txt'],
        verifyEach: true,
        retry: { maxRetries: 3, backoff: 'none', baseMs: 0, maxMs: 0 },
      },
      tasks: [
        { id: 'a', writes: ['a.txt'] },
        { id: 'b', writes: ['b.txt'] },
      ],
    });
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(result.merges.map(({ task }) => task)).toEqual(['b', 'a']);
    expect(await git('ls-tree', '--name-only', 'HEAD~1')).not.toContain('a.txt');
  });

  it('lands what was queued while something else was verified', async () => {
    const sign = `${repository.root}/.git/verifying`;
    const journals = `'${repository.root}'/.parallel/runs/*/journal-*.log`;
    const agent = `[ $PARALLEL_TASK_ID = a ] || until test -e '${sign}'; do sleep 0.02; done`;
    const { result } = await run({
      agents: [{ command: `${agent}; echo > $PARALLEL_TASK_ID.txt` }],
      settings: {
        verify: [
          `touch '${sign}'; until [ "$(cat ${journals} | grep -ac task:queued)" = 2 ]; do sleep 0.02; done`,
        ],
      },
      tasks: [
        { id: 'a', writes: ['a.txt'] },
        { id: 'b', writes: ['b.txt'] },
      ],
    });
    expect(result.parallel_execution.tasks.completed).toBe(2);
  });

  it('runs from HEAD in a dirty checkout, says so, and never touches the dirty files', async () => {
    writeFileSync(join(repository.root, 'README.md'), 'mine\n');
    writeFileSync(join(repository.root, 'draft.txt'), 'mine too\n');
    const started = await start({ agents: [WRITER], tasks: ['a'] });
    expect(started.notes.join()).toContain('2 uncommitted files are left alone');
    expect((await started.done).parallel_execution.tasks.completed).toBe(1);
    expect((await git('status', '--porcelain')).split('\n')).toEqual([
      ' M README.md',
      '?? draft.txt',
    ]);
    expect(await git('show', 'HEAD:a/out.txt')).toBe('by a');
  });

  it('holds the target when a dirty file is in the way, and keeps the landed work', async () => {
    writeFileSync(join(repository.root, 'README.md'), 'mine\n');
    const before = await git('rev-parse', 'HEAD');
    const { result } = await run({
      agents: [{ command: 'echo theirs > README.md' }],
      tasks: [{ id: 'a', writes: ['README.md'] }],
    });
    expect(result.target.held).toMatch(/README\.md/);
    expect(await git('rev-parse', 'HEAD')).toBe(before);
    expect(await git('show', `${result.target.commit ?? ''}:README.md`)).toBe('theirs');
  });

  it('lands on a branch of its own when HEAD is detached', async () => {
    await git('checkout', '--quiet', '--detach');
    const before = await git('rev-parse', 'HEAD');
    const { result } = await run({ agents: [WRITER], tasks: ['a'] });
    const id = result.parallel_execution.id;
    expect(await git('show', `parallel/${id}:a/out.txt`)).toBe('by a');
    expect(await git('rev-parse', 'HEAD')).toBe(before);
  });

  it('takes in what the user commits meanwhile', async () => {
    const started = await start({
      agents: [
        { command: 'while ! test -e "$PARALLEL_ROOT/go"; do sleep 0.05; done; echo a > a.txt' },
      ],
      tasks: [{ id: 'a', writes: ['a.txt'] }],
    });
    await new Promise<void>((resolve) => {
      started.events.on((event) => {
        if (event.type === 'process:started') resolve();
      });
    });
    await repository.commit({ 'mine.txt': 'mine\n' }, 'Mine');
    writeFileSync(join(repository.root, 'go'), '');
    await started.done;
    expect((await git('ls-files')).split('\n')).toEqual(
      expect.arrayContaining(['a.txt', 'mine.txt']),
    );
  });

  it('refuses a second run in the same checkout', async () => {
    const first = await start({ agents: [{ command: 'sleep 60' }], tasks: ['a'] });
    await expect(start({ agents: [WRITER], tasks: ['b'] })).rejects.toMatchObject({
      name: 'UserError',
      kind: 'busy',
    });
    first.stop('kill');
    await first.done;
  });

  it('kills one agent with everything it started, and the rest goes on', async () => {
    const started = await start({
      agents: [
        {
          command:
            'if [ $PARALLEL_TASK_ID = slow ]; then sleep 300 & wait; else mkdir quick; echo > quick/x; fi',
        },
      ],
      tasks: ['slow', 'quick'],
    });
    started.events.on((event) => {
      if (event.type === 'process:started' && event.task === 'slow') started.kill('slow');
    });
    const result = await started.done;
    expect(result.parallel_execution.results).toMatchObject({
      slow: { status: 'cancelled' },
      quick: { status: 'completed' },
    });
    expect(worktreesLeft()).toEqual([]);
  });

  it('ends an attempt that takes too long', async () => {
    const { result } = await run({
      agents: [{ command: 'sleep 300' }],
      settings: { retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } },
      tasks: [{ id: 'a', timeoutMs: 300 }],
    });
    expect(result.failures).toMatchObject([{ kind: 'timeout' }]);
  });
});
