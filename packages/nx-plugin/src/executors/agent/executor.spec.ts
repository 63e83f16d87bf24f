import type { ExecutorContext } from '@nx/devkit';
import {
  inNxTaskTurn,
  landBundles,
  parseRunId,
  parseTaskId,
  runPlanTask,
  UserError,
  type EventOf,
} from '@parallel-executor/core';
import { tempWorkspace, type TempWorkspace } from '../../testing/temp-workspace';
import { agentExecutor } from './executor';

jest.mock('@parallel-executor/core', () => ({
  ...jest.requireActual<object>('@parallel-executor/core'),
  landBundles: jest.fn(),
  runPlanTask: jest.fn(),
  inNxTaskTurn: jest.fn(),
}));
const run = jest.mocked(runPlanTask);
const land = jest.mocked(landBundles);
const turn = jest.mocked(inNxTaskTurn);

const RUN_ID = parseRunId('PEXEC-1700000000000');
const candidate: EventOf<'task:queued'>['candidate'] = {
  ...{ commit: 'c', tree: 't', base: 'b', ref: 'r', fence: 1 },
  ...{ noop: false, files: ['b/x'], fileCount: 1 },
};
const DONE = { success: true, reason: null, runId: RUN_ID };
const PLAN = `version: 1
agents:
  codemod: { adapter: command, command: node codemod.mjs }
tasks:
  a: { agent: codemod, prompt: Do a., writes: [a/**] }
  b: { agent: codemod, prompt: Do b., writes: [b/**], depends_on: [a] }
`;
const target = (name: string): object => ({ target: { project: 'p', target: name } });

describe('the agent executor', () => {
  const before = { ...process.env };
  let workspace: TempWorkspace;
  let context: ExecutorContext;
  let said: jest.SpyInstance;
  let complained: jest.SpyInstance;
  const execute = (): Promise<{ success: boolean }> => agentExecutor({ task: 'b' }, context);

  beforeEach(() => {
    said = jest.spyOn(console, 'log').mockImplementation();
    complained = jest.spyOn(console, 'error').mockImplementation();
    turn.mockImplementation((_options, body) => body());
    run.mockImplementation(({ task, onEvent }) => {
      onEvent?.({ type: 'task:queued', task: parseTaskId(task), attempt: 1, candidate, at: 1 });
      return Promise.resolve(DONE);
    });
    land.mockResolvedValue({ landed: [], already: [], failed: [] });
    workspace = tempWorkspace({
      'parallel.yaml': PLAN,
      '.parallel/out/a/changes.patch': 'patch of a',
    });
    context = {
      root: workspace.root,
      projectName: 'p',
      targetName: 'agent-b',
      taskGraph: {
        roots: ['p:agent-a'],
        tasks: { 'p:agent-a': target('agent-a'), 'p:agent-b': target('agent-b') },
        dependencies: { 'p:agent-b': ['p:agent-a'], 'p:agent-a': [] },
        continuousDependencies: {},
      },
    } as unknown as ExecutorContext;
  });
  afterEach(() => {
    process.env = { ...before };
    workspace.remove();
    said.mockRestore();
    complained.mockRestore();
  });

  it('runs the task within the run of the Nx command and prints what happens', async () => {
    process.env['PARALLEL_NX_RUN'] = RUN_ID;
    run.mockImplementation(({ onEvent }) => {
      const task = parseTaskId('b');
      onEvent?.({ type: 'task:landed', task, commit: null, tree: null, at: 1 });
      return Promise.resolve(DONE);
    });
    expect(await execute()).toEqual({ success: true });
    const request = { cwd: workspace.root, task: 'b', runId: RUN_ID };
    expect(run.mock.calls[0]?.[0]).toMatchObject(request);
    expect(said).toHaveBeenCalledWith('b: nothing to land');
  });

  it('lands what the task builds upon before it starts', async () => {
    const order: string[] = [];
    land.mockImplementation(({ tasks }) => {
      order.push(`land ${tasks.join(' ')}`);
      return Promise.resolve({ landed: [], already: [], failed: [] });
    });
    run.mockImplementation(() => {
      order.push('run');
      return Promise.resolve(DONE);
    });
    await execute();
    expect(order).toEqual(['land a', 'run']);
  });

  it('does not start the agent when what it builds upon did not land', async () => {
    const failed = [{ task: parseTaskId('a'), reason: 'conflict' }];
    land.mockResolvedValue({ landed: [], already: [], failed });
    expect(await execute()).toEqual({ success: false });
    expect(run).not.toHaveBeenCalled();
    expect(complained).toHaveBeenCalledWith('a did not land: conflict');
  });

  it('runs no agent when Nx missed and yet nothing the result was made from has changed', async () => {
    await execute();
    expect(await execute()).toEqual({ success: true });
    expect(run).toHaveBeenCalledTimes(1);
    expect(land.mock.calls.map(([{ tasks }]) => tasks)).toEqual([['a'], ['a'], ['b']]);
  });

  it.each([
    [
      'its plan entry changed',
      () => {
        workspace.write('parallel.yaml', PLAN.replace('Do b.', 'Do more.'));
      },
    ],
    [
      'what it builds upon changed',
      () => {
        workspace.write('.parallel/out/a/changes.patch', 'another');
      },
    ],
    [
      'the user wants no cache',
      () => {
        process.env['PARALLEL_NX_FRESH'] = 'true';
      },
    ],
    [
      'no key was noted beside its bundle',
      () => {
        workspace.write('.parallel/out/b/nx-key', '');
      },
    ],
    [
      'its bundle does not land',
      () => {
        const failed = [{ task: parseTaskId('b'), reason: 'conflict' }];
        land.mockImplementation(({ tasks }) =>
          Promise.resolve({ landed: [], already: [], failed: tasks.includes('b') ? failed : [] }),
        );
      },
    ],
  ])('runs the agent again when %s', async (_reason, change) => {
    await execute();
    change();
    expect(await execute()).toEqual({ success: true });
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('fails with the reason, and a failure is no result to reuse', async () => {
    run.mockResolvedValue({ success: false, reason: 'agent exited with code 3', runId: RUN_ID });
    expect(await execute()).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith('b: agent exited with code 3');
    await execute();
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('waits its turn, says so, and finds what the other command has made', async () => {
    turn.mockImplementation(async ({ onWaiting }, body) => {
      onWaiting('b');
      // The other command runs to its end meanwhile.
      turn.mockImplementation((_options, own) => own());
      await execute();
      return body();
    });
    expect(await execute()).toEqual({ success: true });
    expect(said).toHaveBeenCalledWith('b: waits for another nx command that runs it right now');
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('tells the run how many tasks Nx runs at once', async () => {
    process.env['PARALLEL_NX_PARALLEL'] = '7';
    await execute();
    expect(run.mock.calls[0]?.[0]).toMatchObject({ parallel: 7 });
    expect(land.mock.calls[0]?.[0]).toMatchObject({ parallel: 7 });
  });

  it('refuses to run inside an agent', async () => {
    process.env['PARALLEL_TASK_ID'] = 'outer';
    expect(await execute()).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith(expect.stringContaining('the agent of outer'));
    expect(turn).not.toHaveBeenCalled();
  });

  it('is quiet about its own end while it waits', async () => {
    turn.mockImplementation(() => {
      process.emit('SIGTERM');
      return Promise.reject(new Error('MutexTimeout'));
    });
    expect(await execute()).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith('b: stopped');
  });

  it('fails with the diagnostics of an invalid plan', async () => {
    const problem = 'parallel.yaml:3:5: unknown phase';
    expect(await agentExecutor({ problem }, context)).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith(problem);
    expect(run).not.toHaveBeenCalled();
  });

  it('tells a situation the user can mend with its fix and without a stack trace', async () => {
    run.mockRejectedValue(new UserError('environment', 'git is missing.', 'Install git.'));
    expect(await execute()).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith('git is missing.\nInstall git.');
  });

  it('passes the request to stop on and is no success then', async () => {
    run.mockImplementation(({ signal }) => {
      process.emit('SIGTERM');
      return Promise.resolve({ ...DONE, reason: signal?.aborted === true ? 'cancelled' : null });
    });
    expect(await execute()).toEqual({ success: false });
    expect(complained).toHaveBeenCalledWith('b: cancelled');
  });
});
