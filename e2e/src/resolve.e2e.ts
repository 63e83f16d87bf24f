import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusJson } from '@parallel-executor/core';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

/** `left` and `right` change one line at once; `after` builds upon `right`, `slow` waits for a file. */
const PLAN = (slow: boolean): string => `parallel_executor:
  default_agent: it
  retry_policy: { max_retries: 0 }
  verify: ['! grep -q forbidden shared.txt']
agents:
  it:
    adapter: command
    command: 'sh "$PARALLEL_ROOT/agent.sh"'
locks: { conflict_resolution: manual }
tasks:
  left: { writes: [shared.txt] }
  right: { writes: [shared.txt] }
  after: { writes: [after.txt], depends_on: [right] }
${slow ? '  slow: { writes: [slow.txt] }\n' : ''}`;

/** Both have begun before either ends; `left` lands first. */
const AGENT = `touch "$PARALLEL_ROOT/.parallel/$PARALLEL_TASK_ID.begun"
wait_for() { until test -e "$PARALLEL_ROOT/$1"; do sleep 0.05; done; }
case "$PARALLEL_TASK_ID" in
  left) wait_for .parallel/right.begun; echo left > shared.txt ;;
  right) wait_for .parallel/left.begun
    until grep -q '"task:landed"' "$PARALLEL_ROOT/.parallel/runs/$PARALLEL_RUN_ID/"journal-*; do sleep 0.05; done
    echo right > shared.txt ;;
  after) cp shared.txt after.txt ;;
  slow) wait_for .parallel/go; echo slow > slow.txt ;;
esac
`;
const OPEN = '.worktrees/resolve-right';

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

const begin = (slow = false): Promise<unknown> =>
  rig.repository.commit(
    { 'parallel.yaml': PLAN(slow), 'agent.sh': AGENT, 'shared.txt': 'base\n' },
    'plan',
  );
const inOpen = (...args: string[]): Promise<string> => rig.git('-C', join(rig.root, OPEN), ...args);
const text = (path: string): string => readFileSync(join(rig.root, path), 'utf8');
const status = async (): Promise<StatusJson> =>
  JSON.parse((await rig.cli('status', '--json')).stdout) as StatusJson;
const states = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await status()).tasks.map(({ id, state }) => [id, state]));
const settle = async (content: string): Promise<void> => {
  await rig.write({ [`${OPEN}/shared.txt`]: content });
  await inOpen('add', 'shared.txt');
};

describe('a conflict that waits for a person', () => {
  it('is opened with markers, refused while unsettled, and lands with what depends on it', async () => {
    await begin();
    const run = await rig.cli('run');
    expect(run.code).toBe(3);
    expect(await states()).toEqual({ left: 'landed', right: 'conflicted', after: 'blocked' });
    expect((await rig.cli('status')).stdout).toContain('parallel-cli resolve right');

    const opened = await rig.cli('resolve', 'right', '--json');
    expect(opened.code).toBe(3);
    expect(JSON.parse(opened.stdout)).toMatchObject({
      schemaVersion: 1,
      task: 'right',
      state: 'open',
      path: join(rig.root, OPEN),
      created: true,
      files: ['shared.txt'],
      unresolved: ['shared.txt'],
    });
    expect(text(`${OPEN}/shared.txt`)).toBe('<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\n');
    expect(await inOpen('status', '--porcelain')).toBe('UU shared.txt');
    expect(await inOpen('show', ':1:shared.txt', ':2:shared.txt', ':3:shared.txt')).toBe(
      'base\nleft\nright',
    );
    expect(await inOpen('rev-parse', 'MERGE_HEAD^{commit}')).toMatch(/^[0-9a-f]{40}$/);

    const early = await rig.cli('resolve', 'right', '--continue');
    expect(early.code).toBe(2);
    expect(early.stderr).toContain('conflict markers left');
    await rig.write({ [`${OPEN}/shared.txt`]: 'both\n' });
    const unsaid = await rig.cli('resolve', 'right', '--continue');
    expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining('git add')]);
    const again = await rig.cli('resolve', 'right');
    expect(again.stdout).toContain('was opened before');
    expect(text(`${OPEN}/shared.txt`)).toBe('both\n');

    await inOpen('add', 'shared.txt');
    expect((await rig.cli('resolve', 'right', '--continue')).code).toBe(0);
    expect(await states()).toEqual({ left: 'landed', right: 'landed', after: 'landed' });
    expect([text('shared.txt'), text('after.txt')]).toEqual(['both\n', 'both\n']);
    expect(await rig.git('log', '--format=%(trailers:key=Parallel-Resolved)')).toContain(
      'Parallel-Resolved: person shared.txt',
    );
    expect((await status()).tasks[1]?.resolved).toEqual([
      { path: 'shared.txt', rung: 'person', reason: 'settled by hand' },
    ]);
    expect(rig.worktrees()).toEqual([]);
    expect((await rig.cli('resolve', 'right')).stderr).toContain(
      'right is not in conflict: landed',
    );
  });

  it('lands in the run that goes on', async () => {
    await begin(true);
    const run = rig.start('run', '--agents=3');
    await rig.journalSays(/task:conflicted/);
    expect((await rig.cli('resolve', 'right')).code).toBe(3);
    await settle('together\n');
    const told = await rig.cli('resolve', 'right', '--continue');
    expect([told.code, told.stdout]).toEqual([0, expect.stringContaining('lands right')]);
    await until(() => existsSync(join(rig.root, '.parallel/after.begun')));
    await rig.write({ '.parallel/go': '' });
    expect((await run.finished).code).toBe(0);
    expect([text('after.txt'), text('slow.txt')]).toEqual(['together\n', 'slow\n']);
  });

  it('outlives kill -9 of the run, a resume and a clean while it is being settled', async () => {
    await begin(true);
    const run = rig.start('run', '--agents=3');
    await rig.journalSays(/task:conflicted/);
    expect((await rig.cli('resolve', 'right')).code).toBe(3);
    await settle('after the kill\n');
    run.child.kill('SIGKILL');
    await run.finished;
    await rig.write({ '.parallel/go': '' });
    expect((await rig.cli('resume')).code).toBe(3);
    expect((await rig.cli('clean', '--force')).code).toBe(0);
    expect(text(`${OPEN}/shared.txt`)).toBe('after the kill\n');
    expect((await rig.cli('resolve', 'right', '--continue')).code).toBe(0);
    expect(text('after.txt')).toBe('after the kill\n');
  });

  it('is verified like any other, and its worktree can be given up without losing what was made', async () => {
    await begin();
    expect((await rig.cli('run')).code).toBe(3);
    await rig.cli('resolve', 'right');
    await settle('half done\n');
    const aborted = JSON.parse((await rig.cli('resolve', 'right', '--abort', '--json')).stdout) as {
      readonly saved: string;
    };
    expect(await rig.git('show', `${aborted.saved}:shared.txt`)).toBe('half done');
    expect([rig.worktrees(), (await states())['right']]).toEqual([[], 'conflicted']);
    await rig.cli('resolve', 'right');
    await settle('forbidden\n');
    expect((await rig.cli('resolve', 'right', '--continue')).code).toBe(1);
    expect(text('shared.txt')).toBe('left\n');
  });
});

/** The same two, and a resolver that waits for a file before it settles what is left. */
const WITH_RESOLVER = PLAN(false)
  .replace(
    'max_retries: 0 }',
    'max_retries: 2, base_delay: 10ms }\n  conflicts: { resolver: judge }',
  )
  .replace(
    'locks: { conflict_resolution: manual }',
    `  judge: { adapter: command, command: 'sh "$PARALLEL_ROOT/judge.sh"' }
locks: { conflict_resolution: auto_merge }`,
  );
const JUDGE = `echo asked >> "$PARALLEL_ROOT/.parallel/asked"
until test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done
sed -i '/^[<=>]/d' shared.txt && git add shared.txt
`;

describe('a conflict that an agent resolves', () => {
  beforeEach(async () => {
    await rig.repository.commit(
      {
        'parallel.yaml': WITH_RESOLVER,
        'agent.sh': `echo "$PARALLEL_TASK_ID" >> "$PARALLEL_ROOT/.parallel/worked"\n${AGENT}`,
        'judge.sh': JUDGE,
        'shared.txt': 'base\n',
      },
      'plan',
    );
  });
  const worked = (): readonly string[] => text('.parallel/worked').trim().split('\n').sort();
  const expectLanded = async (): Promise<void> => {
    expect(await states()).toEqual({ left: 'landed', right: 'landed', after: 'landed' });
    expect([text('shared.txt'), text('after.txt')]).toEqual(['left\nright\n', 'left\nright\n']);
    expect(await rig.git('log', '--format=%(trailers:key=Parallel-Resolved)')).toContain(
      'Parallel-Resolved: agent shared.txt',
    );
    expect((await status()).tasks[1]?.resolved).toEqual([
      { path: 'shared.txt', rung: 'agent', reason: 'settled by the agent judge' },
    ]);
    expect(worked()).toEqual(['after', 'left', 'right']);
    expect(rig.worktrees()).toEqual([]);
    expect(await rig.git('status', '--porcelain')).toBe('');
  };

  it('lands with both sides, and status tells who resolves what meanwhile', async () => {
    const run = rig.start('run', '--agents=3');
    await rig.journalSays(/task:healing/);
    expect((await status()).tasks[1]).toMatchObject({
      state: 'running',
      attempt: 2,
      note: 'resolver judge: shared.txt',
    });
    expect((await rig.cli('status')).stdout).toContain('resolver judge: shared.txt');
    await rig.write({ '.parallel/go': '' });
    expect((await run.finished).code).toBe(0);
    await expectLanded();
  });

  it('outlives kill -9 of the run: the resolver is asked again, and nobody else', async () => {
    const run = rig.start('run', '--agents=3');
    await until(() => existsSync(join(rig.root, '.parallel/asked')));
    run.child.kill('SIGKILL');
    await run.finished;
    await rig.write({ '.parallel/go': '' });
    expect((await rig.cli('resume')).code).toBe(0);
    await expectLanded();
    expect(text('.parallel/asked')).toBe('asked\nasked\n');
  });
});
