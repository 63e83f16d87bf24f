import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import type { EventOf, NxTaskOutcome } from '@parallel-executor/core';
import { inNxTaskTurn, landBundles, parseTaskId, runPlanTasks } from '@parallel-executor/core';
import { tempWorkspace, type TempWorkspace } from '../../testing/temp-workspace';
import { agentBatch } from './batch';
import type { AgentExecutorOptions } from './executor';

jest.mock('@parallel-executor/core', () => ({
  ...jest.requireActual<object>('@parallel-executor/core'),
  landBundles: jest.fn(),
  runPlanTasks: jest.fn(),
  inNxTaskTurn: jest.fn(),
}));
const run = jest.mocked(runPlanTasks);
const land = jest.mocked(landBundles);
const turn = jest.mocked(inNxTaskTurn);
const PLAN = `version: 1
agents:
  codemod: { adapter: command, command: node codemod.mjs }
tasks:
  a: { agent: codemod, prompt: Do a., writes: [a/**] }
  b: { agent: codemod, prompt: Do b., writes: [b/**], depends_on: [a] }
  c: { agent: codemod, prompt: Do c., writes: [c/**] }
`;
const candidate: EventOf<'task:queued'>['candidate'] = {
  ...{ commit: 'c', tree: 't', base: 'b', ref: 'r', fence: 1 },
  ...{ noop: false, files: ['x'], fileCount: 1 },
};

interface Said {
  readonly id: string;
  readonly status: string;
  readonly text: string;
}

describe('the batch executor', () => {
  const before = { ...process.env };
  let workspace: TempWorkspace;
  /** What each agent does; `success` unless a test says otherwise. */
  let fates: Record<string, NxTaskOutcome['status']>;
  let said: jest.SpyInstance;

  const graph = {
    roots: ['p:agent-a', 'p:agent-c'],
    tasks: Object.fromEntries(
      ['b', 'a', 'c'].map((name) => [
        `p:agent-${name}`,
        { target: { project: 'p', target: `agent-${name}` } },
      ]),
    ),
    dependencies: { 'p:agent-b': ['p:agent-a'], 'p:agent-a': [], 'p:agent-c': [] },
    continuousDependencies: {},
  } as unknown as TaskGraph;
  const INPUTS: Record<string, AgentExecutorOptions> = {
    'p:agent-a': { task: 'a' },
    'p:agent-b': { task: 'b' },
    'p:agent-c': { task: 'c' },
  };

  const execute = async (inputs = INPUTS, part = graph): Promise<readonly Said[]> => {
    const context = { root: workspace.root, taskGraph: graph } as unknown as ExecutorContext;
    const results: Said[] = [];
    for await (const { task, result } of agentBatch(part, inputs, {}, context)) {
      const { success, status, terminalOutput: text, startTime, endTime } = result;
      expect(success).toBe(status === 'success');
      expect(endTime).toBeGreaterThanOrEqual(startTime);
      results.push({ id: task, status, text });
    }
    return results;
  };
  const statuses = (results: readonly Said[]): string[] =>
    results.map(({ id, status }) => `${id} ${status}`);
  const ran = (): readonly (readonly string[])[] =>
    run.mock.calls.map(([{ tasks }]) => tasks.map(({ task }) => task));

  beforeEach(() => {
    said = jest.spyOn(console, 'log').mockImplementation();
    fates = {};
    turn.mockImplementation((_options, body) => body());
    land.mockResolvedValue({ landed: [], already: [], failed: [] });
    run.mockImplementation(({ tasks, onEvent }, tell) => {
      const outcomes = tasks.map(({ task: id }): NxTaskOutcome => {
        const task = parseTaskId(id);
        const status = fates[id] ?? 'success';
        if (status === 'success') {
          onEvent?.({ type: 'task:queued', task, attempt: 1, candidate, at: 1 });
        }
        return { task, status, reason: status === 'success' ? null : `${id} broke` };
      });
      outcomes.forEach(tell);
      return Promise.resolve(outcomes);
    });
    workspace = tempWorkspace({ 'parallel.yaml': PLAN });
  });
  afterEach(() => {
    process.env = { ...before };
    workspace.remove();
    said.mockRestore();
  });

  it('runs all tasks at once, in the order of the graph, in the run of the Nx command', async () => {
    process.env['PARALLEL_NX_RUN'] = 'PEXEC-1700000000000';
    process.env['PARALLEL_NX_PARALLEL'] = '7';
    const results = await execute();
    expect(statuses(results).sort()).toEqual([
      'p:agent-a success',
      'p:agent-b success',
      'p:agent-c success',
    ]);
    expect(run).toHaveBeenCalledTimes(1);
    expect(run.mock.calls[0]?.[0]).toMatchObject({
      cwd: workspace.root,
      runId: 'PEXEC-1700000000000',
      parallel: 7,
      tasks: [
        { task: 'a', after: [] },
        { task: 'b', after: ['a'] },
        { task: 'c', after: [] },
      ],
    });
    expect(turn.mock.calls[0]?.[0].tasks).toEqual(['a', 'b', 'c']);
  });

  it('yields a result while others still run', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    run.mockImplementation(async (_request, tell) => {
      tell({ task: parseTaskId('c'), status: 'success', reason: null });
      await finished;
      tell({ task: parseTaskId('a'), status: 'success', reason: null });
      tell({ task: parseTaskId('b'), status: 'success', reason: null });
      return [];
    });
    const context = { root: workspace.root, taskGraph: graph } as unknown as ExecutorContext;
    const results = agentBatch(graph, INPUTS, {}, context);
    expect((await results.next()).value).toMatchObject({ task: 'p:agent-c' });
    finish();
    expect((await results.next()).value).toMatchObject({ task: 'p:agent-a' });
    await results.next();
    expect((await results.next()).done).toBe(true);
  });

  it('tells the failed from what is skipped because of them, with the reasons', async () => {
    fates = { a: 'failure', b: 'skipped' };
    const results = await execute();
    expect(statuses(results)).toEqual([
      'p:agent-a failure',
      'p:agent-b skipped',
      'p:agent-c success',
    ]);
    expect(results[0]?.text).toBe('a: a broke\n');
    expect(results[2]?.text).toBe('c: done, changed files: 1\n');
  });

  it('pays no agent again for what was finished when the batch before was interrupted', async () => {
    fates = { b: 'failure', c: 'failure' };
    await execute();
    fates = {};
    const results = await execute();
    expect(ran()).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
    expect(statuses(results).sort()).toEqual(
      ['a', 'b', 'c'].map((name) => `p:agent-${name} success`),
    );
    await execute();
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('runs the agent where a bundle does not land, and in every case when no cache is wanted', async () => {
    await execute();
    const failed = [{ task: parseTaskId('a'), reason: 'conflict' }];
    land.mockImplementation(({ tasks }) =>
      Promise.resolve({ landed: [], already: [], failed: tasks.includes('a') ? failed : [] }),
    );
    await execute();
    process.env['PARALLEL_NX_FRESH'] = 'true';
    await execute();
    expect(ran()).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  it('lands what came from the cache first, and starts nothing that builds upon what did not', async () => {
    const missed = Object.entries(graph.tasks).filter(([id]) => id !== 'p:agent-a');
    const rest = { ...graph, tasks: Object.fromEntries(missed) };
    await execute(INPUTS, rest);
    expect(land.mock.calls[0]?.[0].tasks).toEqual(['a']);
    process.env['PARALLEL_NX_FRESH'] = 'true';
    const failed = [{ task: parseTaskId('a'), reason: 'conflict' }];
    land.mockResolvedValue({ landed: [], already: [], failed });
    const results = await execute(INPUTS, rest);
    expect(results).toContainEqual({
      id: 'p:agent-b',
      status: 'failure',
      text: 'a did not land: conflict\n',
    });
    expect(ran().at(-1)).toEqual(['c']);
  });

  it('says of every task that the plan is bad, or that an agent started it, and runs none', async () => {
    const problem = 'parallel.yaml:3:5: unknown phase';
    const inputs = Object.fromEntries(Object.keys(INPUTS).map((id) => [id, { problem }]));
    const results = await execute(inputs);
    expect(results.map(({ text }) => text)).toEqual(Array(3).fill(`${problem}\n`));
    process.env['PARALLEL_TASK_ID'] = 'outer';
    expect((await execute()).every(({ status }) => status === 'failure')).toBe(true);
    expect(run).not.toHaveBeenCalled();
    expect(turn).not.toHaveBeenCalled();
  });

  it('fails what is left when the run breaks, and ends', async () => {
    run.mockImplementation((_request, tell) => {
      tell({ task: parseTaskId('c'), status: 'success', reason: null });
      return Promise.reject(new Error('no disk'));
    });
    const results = await execute();
    expect(statuses(results)).toEqual([
      'p:agent-c success',
      'p:agent-a failure',
      'p:agent-b failure',
    ]);
    expect(results[1]?.text).toContain('no disk');
  });

  it('passes the request to stop on', async () => {
    run.mockImplementation(({ tasks, signal }, tell) => {
      process.emit('SIGTERM');
      for (const { task } of tasks) {
        const reason = signal?.aborted === true ? 'stopped before it landed' : null;
        tell({ task: parseTaskId(task), status: 'failure', reason });
      }
      return Promise.resolve([]);
    });
    const listeners = process.listenerCount('SIGTERM');
    const results = await execute();
    expect(results.map(({ text }) => text)).toContain('a: stopped before it landed\n');
    expect(process.listenerCount('SIGTERM')).toBe(listeners);
  });
});
