import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunResult } from '@parallel-executor/core';
import { ParallelExecutor } from '@parallel-executor/core';
import type { Rig } from './rig';
import { makeRig } from './rig';

const SAMPLE = readFileSync(join(__dirname, '../fixtures/specification.yaml'), 'utf8');

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

describe('the specification', () => {
  it('has YAML that runs as it is written', async () => {
    await rig.repository.commit({ 'parallel.yaml': SAMPLE }, 'plan');
    const { code, stdout } = await rig.cli('run', '--json');
    expect(code).toBe(0);
    const { tasks } = (JSON.parse(stdout) as RunResult).parallel_execution;
    expect(tasks).toMatchObject({ total: 8, completed: 8, failed: 0 });
  });

  it('has YAML that runs with an agent, each task after what it depends on', async () => {
    const agent = 'mkdir -p "done" && ls done > "done/$PARALLEL_TASK_ID"';
    const locks = SAMPLE.replace(
      '[src/components/landing/*]',
      '[src/components/landing/*, done/*]',
    ).replace('[src/lib/auth/*]', '[src/lib/auth/*, done/*]');
    await rig.repository.commit(
      {
        'parallel.yaml':
          `${locks}\nagents:\n  shell: { adapter: command, command: '${agent}' }\n`.replace(
            'max_agents: 25',
            'max_agents: 25\n  default_agent: shell',
          ),
      },
      'plan',
    );
    const { code, stderr } = await rig.cli('run', '--progress=plain');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const before = async (task: string): Promise<string[]> =>
      (await rig.git('show', `HEAD:done/${task}`)).split('\n');
    expect(await before('wire_components')).toEqual(
      expect.arrayContaining(['landing_page', 'dashboard', 'api_routes']),
    );
    expect(await before('final_tests')).toEqual(
      expect.arrayContaining(['wire_components', 'stripe_integration']),
    );
  });

  it('has a JavaScript sample that runs through the API', async () => {
    const executor = new ParallelExecutor({
      maxAgents: 25,
      cwd: rig.root,
      agents: {
        'ui-super': (task, { worktree }) => writeFile(join(worktree, `${task.id}.txt`), 'ui\n'),
        'backend-super': { adapter: 'command', command: 'echo backend > "$PARALLEL_TASK_ID.txt"' },
      },
    });
    const landed: string[] = [];
    executor.on('task:landed', ({ task }) => landed.push(task));
    const tasks = [
      { id: 'landing', agent: 'ui-super', priority: 'HIGH', writes: ['landing.txt'] },
      {
        id: 'auth',
        agent: 'backend-super',
        priority: 'HIGH',
        phase: 'phase_1',
        writes: ['auth.txt'],
      },
      { id: 'db', agent: 'backend-super', priority: 'HIGH', phase: 'phase_2', writes: ['db.txt'] },
    ];
    const barrier = executor.barrier('phase_1').wait();
    const results = await executor.execute(tasks, {
      phases: true,
      checkpoints: true,
      autoRecovery: true,
    });
    await barrier;
    expect(results.parallel_execution).toMatchObject({
      status: 'completed',
      tasks: { completed: 3 },
    });
    expect(landed.sort()).toEqual(['auth', 'db', 'landing']);
    expect(await rig.git('ls-files', '*.txt')).toBe('auth.txt\ndb.txt\nlanding.txt');
  });

  it('names the keys of parallel_execution, and ours stand beside it', async () => {
    await rig.repository.commit({ 'parallel.yaml': SAMPLE }, 'plan');
    const result = JSON.parse((await rig.cli('run', '--json')).stdout) as RunResult;
    expect(Object.keys(result.parallel_execution).sort()).toEqual(
      ['config', 'id', 'resources', 'results', 'status', 'tasks', 'timing'].sort(),
    );
    expect(result.parallel_execution.id).toMatch(/^PEXEC-\d+$/);
  });
});
