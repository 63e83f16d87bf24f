import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '@parallel-executor/core';
import type { Rig } from './rig';
import { makeRig } from './rig';

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

const SLEEPERS = `parallel_executor: { default_agent: sleeper }
agents:
  sleeper: { adapter: command, command: 'sleep 3; mkdir -p out; echo "$PARALLEL_AGENT_ID" > "out/$PARALLEL_TASK_ID"' }
tasks:
${Array.from({ length: 25 }, (_, at) => `  task-${at + 1}: { writes: [out/task-${at + 1}] }`).join('\n')}
`;

describe('parallel-cli run', () => {
  it('runs 25 independent tasks at once, lands them all, and leaves nothing behind', async () => {
    await rig.repository.commit({ 'parallel.yaml': SLEEPERS }, 'plan');
    const { code, stdout } = await rig.cli('run', '--agents=25', '--json');
    const result = JSON.parse(stdout) as RunResult;
    expect(code).toBe(0);
    expect(result.schemaVersion).toBe(1);
    expect(result.parallel_execution).toMatchObject({
      status: 'completed',
      tasks: { total: 25, completed: 25, failed: 0 },
      resources: { peak_concurrency: 25 },
    });
    expect(await rig.git('status', '--porcelain')).toBe('');
    expect((await rig.git('ls-files', 'out')).split('\n')).toHaveLength(25);
    expect(rig.worktrees()).toEqual([]);
    expect(await rig.git('branch', '--format=%(refname:short)')).toBe('main');
    expect(await rig.git('worktree', 'list')).not.toContain('agent-');
    const { id } = result.parallel_execution;
    const stored = readFileSync(join(rig.root, '.parallel/runs', id, 'report/result.json'), 'utf8');
    expect(JSON.parse(stored)).toEqual(result);
  });

  it('exits 1 when a task fails, lands the others, and tells the tail of the failure once', async () => {
    await rig.repository.commit(
      {
        'parallel.yaml': `parallel_executor: { default_agent: a, retry_policy: { max_retries: 1, backoff: none } }
agents: { a: { adapter: command, command: 'if [ $PARALLEL_TASK_ID = bad ]; then echo no-such-thing; exit 7; fi; echo > "$PARALLEL_TASK_ID"' } }
tasks: { bad: { writes: [bad] }, good: { writes: [good] }, after: { depends_on: [bad], writes: [after] } }
`,
      },
      'plan',
    );
    const { code, stderr, stdout } = await rig.cli('run', '--progress=plain');
    expect(code).toBe(1);
    expect(await rig.git('ls-files', 'good', 'bad', 'after')).toBe('good');
    expect(`${stdout}${stderr}`).toContain('no-such-thing');
    expect(`${stdout}${stderr}`).toContain('code 7');
  });

  it('says what it would do with --dry-run, and creates nothing', async () => {
    await rig.repository.commit({ 'parallel.yaml': SLEEPERS }, 'plan');
    const { code, stdout } = await rig.cli('run', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain('task-25');
    expect(rig.has('.parallel')).toBe(false);
  });

  it('writes a starter plan that runs as it is', async () => {
    expect((await rig.cli('init')).code).toBe(0);
    await rig.git('add', '--all');
    await rig.git('commit', '--quiet', '--message', 'plan');
    expect((await rig.cli('run')).code).toBe(0);
    expect((await rig.git('ls-files', 'notes')).split('\n')).toHaveLength(3);
    expect((await rig.cli('init')).stdout + (await rig.cli('init')).stderr).toMatch(
      /already|exists|there/i,
    );
  });
});
