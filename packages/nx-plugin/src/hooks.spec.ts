import type { PostTasksExecutionContext, PreTasksExecutionContext } from '@nx/devkit';
import { isRunId, landBundles, parseTaskId } from '@parallel-executor/core';
import { postTasksExecution, preTasksExecution } from './hooks';
import { PARALLEL_VARIABLE } from './nx-parallel';
import { FRESH_VARIABLE, RUN_VARIABLE } from './nx-run';
import { tempWorkspace } from './testing/temp-workspace';

jest.mock('@parallel-executor/core', () => ({
  ...jest.requireActual<object>('@parallel-executor/core'),
  landBundles: jest.fn(),
  finishNxRun: jest.fn(),
}));
const land = jest.mocked(landBundles);

type Result = PostTasksExecutionContext['taskResults'][string];

function result(
  target: string,
  status: Result['status'],
  output: string,
): readonly [string, Result] {
  const id = `p:${target}`;
  const task = { id, target: { project: 'p', target }, outputs: [output], overrides: {} };
  return [id, { task: { ...task, parallelism: true }, status, code: 0 } as Result];
}

function after(...results: readonly (readonly [string, Result])[]): PostTasksExecutionContext {
  return {
    id: '1',
    workspaceRoot: '/workspace',
    nxJsonConfiguration: {},
    taskResults: Object.fromEntries(results),
    argv: [],
    startTime: 0,
    endTime: 1,
  };
}

describe('the hooks of the plugin', () => {
  const before = { ...process.env };
  beforeEach(() => {
    land.mockResolvedValue({ landed: [], already: [], failed: [] });
  });
  afterEach(() => {
    process.env = { ...before };
  });

  const start = (id: string, ...argv: readonly string[]): string => {
    const context: PreTasksExecutionContext = {
      id,
      workspaceRoot: '/workspace',
      nxJsonConfiguration: {},
      argv: ['node', 'nx', ...argv],
    };
    preTasksExecution(undefined, context);
    return process.env[RUN_VARIABLE] ?? '';
  };

  it('give all processes of one Nx command one run id', () => {
    expect(isRunId(start('1', 'run-many', '-t', 'agent'))).toBe(true);
    expect(process.env[FRESH_VARIABLE]).toBe('false');
  });

  it('tell them when the user wants no cache', () => {
    start('1', 'run-many', '-t', 'agent', '--skip-nx-cache');
    expect(process.env[FRESH_VARIABLE]).toBe('true');
  });

  it('tell them how many tasks Nx runs at once, and warn when the plan wants more', () => {
    const workspace = tempWorkspace({
      'parallel.yaml':
        'agents: { x: { adapter: command, command: "true" } }\ntasks:\n' +
        ['a', 'b', 'c', 'd'].map((id) => `  ${id}: { agent: x, writes: [${id}] }\n`).join(''),
    });
    const warned = jest.spyOn(console, 'warn').mockImplementation();
    const begin = (...argv: readonly string[]): void => {
      const about = {
        id: '1',
        workspaceRoot: workspace.root,
        nxJsonConfiguration: { parallel: 2 },
      };
      preTasksExecution(undefined, { ...about, argv: ['node', 'nx', ...argv] });
    };
    begin('run-many', '-t', 'agent');
    expect(process.env[PARALLEL_VARIABLE]).toBe('2');
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('Pass --parallel=4.'));
    begin('run-many', '-t', 'agent', '--parallel=4');
    expect(process.env[PARALLEL_VARIABLE]).toBe('4');
    begin('run-many', '-t', 'build');
    workspace.write('parallel.yaml', 'tasks: [');
    begin('run-many', '-t', 'agent');
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
    workspace.remove();
  });

  it('land in the run of the command, also when a daemon serves another one meanwhile', async () => {
    jest.useFakeTimers({ now: 1000 });
    const run = start('1');
    jest.setSystemTime(2000);
    expect(start('2')).not.toBe(run);
    await postTasksExecution(undefined, after(result('agent-a', 'local-cache', '.parallel/out/a')));
    expect(land.mock.calls[0]?.[0]).toMatchObject({ runId: run });
    jest.useRealTimers();
  });

  it('land what came from a cache, and only that', async () => {
    await postTasksExecution(
      undefined,
      after(
        result('agent-a', 'local-cache', '.parallel/out/a'),
        result('agent-b', 'success', '.parallel/out/b'),
        result('agent-c', 'remote-cache', '.parallel/out/c'),
        result('agent-d', 'local-cache-kept-existing', '.parallel/out/d'),
        result('agent-e', 'failure', '.parallel/out/e'),
        result('agent-smith', 'local-cache', 'dist/agent-smith'),
        result('build', 'local-cache', 'dist/build'),
      ),
    );
    expect(land).toHaveBeenCalledTimes(1);
    expect(land.mock.calls[0]?.[0]).toMatchObject({ cwd: '/workspace', tasks: ['a', 'c', 'd'] });
  });

  it('do nothing when no agent task came from a cache', async () => {
    await postTasksExecution(undefined, after(result('build', 'local-cache', 'dist/build')));
    expect(land).not.toHaveBeenCalled();
  });

  it('leave the landing to the outer command inside an agent', async () => {
    process.env['PARALLEL_TASK_ID'] = 'outer';
    await postTasksExecution(undefined, after(result('agent-a', 'local-cache', '.parallel/out/a')));
    expect(land).not.toHaveBeenCalled();
  });

  it('fail the command, without a stack trace, when cached work does not land', async () => {
    const failed = [{ task: parseTaskId('a'), reason: 'conflicts with the landed work in a.ts' }];
    land.mockResolvedValue({ landed: [], already: [], failed });
    const context = after(result('agent-a', 'local-cache', '.parallel/out/a'));
    await expect(postTasksExecution(undefined, context)).rejects.toMatchObject({
      message: expect.stringContaining('a: conflicts with the landed work in a.ts') as string,
      stack: '',
    });
  });
});
