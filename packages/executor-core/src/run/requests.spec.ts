import { rmSync } from 'node:fs';
import { nodeToolbox } from '../create-executor';
import type { RunEvent } from '../model/event';
import type { RunId } from '../model/ids';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { runResult } from '../report/run-result';
import { writeResultFile } from '../store/result-file';
import { createRun } from '../store/run-dir';
import { makeRepository } from '../testing/git-repository';
import type { TestRepository } from '../testing/git-repository';
import { failed, landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { planOf as parallelPlan } from '../testing/plan';
import { openRunJournal } from './engine';
import type { Workspace } from './workspace';
import { openWorkspaceWith } from './workspace';

const tools = nodeToolbox();
const plan = planOf({ a: {}, b: {}, c: { dependsOn: ['a'] } }, { maxAgents: 4 });

let repository: TestRepository;
let workspace: Workspace;
beforeEach(async () => {
  repository = await makeRepository({ 'README.md': 'hello\n' });
  workspace = await openWorkspaceWith(tools, repository.root);
});
afterEach(async () => {
  await repository.cleanup();
});

/** A run with this journal, driven by this process (`alive`) or by one that is gone. */
async function journal(
  events: readonly RunEvent[],
  { alive = true, of = plan, frontDoor = 'cli' } = {},
): Promise<RunId> {
  const run = await createRun(tools.fs, tools.clock, repository.root, of);
  const opened = await openRunJournal(tools, repository.root, run);
  const owner = alive ? tools.processes.self() : { ...tools.processes.self(), startTime: '1' };
  await opened.append([{ ...runStarted(of), run, owner, frontDoor } as RunEvent, ...events]);
  await opened.close();
  return run;
}

const requestsIn = async (run: RunId): Promise<readonly unknown[]> =>
  ((await (await workspace.reader(run))?.events()) ?? []).flatMap((event) =>
    event.type === 'control:requested' ? [event.request] : [],
  );
const finished = (outcome: 'completed' | 'failed' | 'stopped'): RunEvent => ({
  type: 'run:finished',
  outcome,
  at: second(9),
});
const blocked: RunEvent = {
  type: 'task:blocked',
  task: parseTaskId('c'),
  by: parseTaskId('a'),
  at: second(8),
};

describe('a request', () => {
  it('is written into the journal of a live run', async () => {
    const run = await journal([]);
    const pause = { kind: 'pause', suspend: true } as const;
    expect(await workspace.request(pause)).toEqual({
      runId: run,
      delivered: true,
      kept: false,
      reason: null,
    });
    expect(await requestsIn(run)).toEqual([pause]);
  });

  it('that still makes sense later is kept for a run whose process is gone', async () => {
    const run = await journal([...started('a', 1, 1)], { alive: false });
    const agents = { kind: 'agents', maxAgents: 2 } as const;
    const kill = { kind: 'kill', target: 'agent-1' } as const;
    for (const request of [agents, kill]) {
      expect(await workspace.request(request)).toMatchObject({ delivered: false, kept: true });
    }
    expect(await workspace.request({ kind: 'pause' })).toMatchObject({
      delivered: false,
      kept: false,
      reason: expect.stringContaining('resume continues it') as unknown,
    });
    expect(await requestsIn(run)).toEqual([agents, kill]);
  });

  it('comes too late when the run has ended', async () => {
    const run = await journal([finished('stopped')]);
    expect(await workspace.request({ kind: 'pause' })).toMatchObject({
      delivered: false,
      kept: false,
      reason: `${run} has ended (stopped)`,
    });
    expect(await requestsIn(run)).toEqual([]);
  });

  it('needs a run', async () => {
    await expect(workspace.request({ kind: 'pause' })).rejects.toMatchObject({ kind: 'usage' });
    await expect(workspace.retry('all')).rejects.toMatchObject({ kind: 'usage' });
  });
});

describe('a kill', () => {
  it('of what does not run is refused, with what does', async () => {
    await journal([...started('a', 1, 1), ...started('b', 2, 1), ...landed('b', 2)]);
    const fix = 'Running now: agent-1 (a).';
    for (const [target, message] of [
      ['nobody', 'No agent or task is called "nobody".'],
      ['agent-2', 'agent-2 runs nothing.'],
      ['b', 'b is over: landed.'],
    ] as const) {
      const request = { kind: 'kill', target } as const;
      await expect(workspace.request(request)).rejects.toMatchObject({ message, fix });
    }
    for (const target of ['agent-1', 'a', 'c', 'all'])
      expect(await workspace.request({ kind: 'kill', target })).toMatchObject({ delivered: true });
  });
});

describe('a change of the number of agents', () => {
  const ask = (maxAgents: number): Promise<unknown> =>
    workspace.request({ kind: 'agents', maxAgents });

  it('stays within 1 and 25', async () => {
    await journal([]);
    await expect(ask(0)).rejects.toMatchObject({ kind: 'usage' });
    await expect(ask(26)).rejects.toMatchObject({
      message: 'A run has 1 to 25 agents, not 26.',
      fix: expect.stringContaining('allow_more_agents') as unknown,
    });
    await ask(25);
  });

  it('goes as far as the plan allows', async () => {
    const more: Plan = planOf({ a: {} }, { maxAgents: 4, mostAgents: 200 });
    await journal([], { of: more });
    await ask(200);
    await expect(ask(201)).rejects.toMatchObject({ kind: 'usage' });
  });

  it('is for Nx to make where Nx decides', async () => {
    await journal([], { frontDoor: 'nx' });
    await expect(ask(3)).rejects.toMatchObject({ fix: 'Give --parallel to nx run-many.' });
  });
});

describe('a retry', () => {
  it('is handed to the process that drives the run', async () => {
    const run = await journal([...started('a', 1, 1), ...failed('a', 2), blocked]);
    expect(await workspace.retry('a')).toEqual({ kind: 'signalled', runId: run });
    expect(await workspace.retry('all')).toEqual({ kind: 'signalled', runId: run });
    expect(await requestsIn(run)).toEqual([
      { kind: 'retry', target: 'a' },
      { kind: 'retry', target: 'all' },
    ]);
  });

  it('is refused for what did not fail, with what did', async () => {
    const run = await journal([...failed('a', 2), blocked, ...landed('b', 3)]);
    const fix = 'A retry is for: a (failed), c (blocked).';
    await expect(workspace.retry('b')).rejects.toMatchObject({
      message: 'b did not fail, so there is nothing to retry.',
      fix,
    });
    await expect(workspace.retry('x')).rejects.toMatchObject({
      message: 'The run has no task "x".',
      fix,
    });
    expect(await requestsIn(run)).toEqual([]);
  });

  it('of everything is nothing where everything landed', async () => {
    await journal([...landed('a', 1), ...landed('b', 1), ...landed('c', 2), finished('completed')]);
    expect(await workspace.retry('all')).toMatchObject({ kind: 'nothing' });
  });

  it('is for nx to make in a run of Nx', async () => {
    await journal([...failed('a', 2)], { frontDoor: 'nx' });
    await expect(workspace.retry('a')).rejects.toMatchObject({
      fix: expect.stringContaining('same nx command') as unknown,
    });
  });
});

describe('resume', () => {
  it('tells what to do with a run that ended with failures', async () => {
    const run = await journal([...failed('a', 2), finished('failed')]);
    const events = (await (await workspace.reader(run))?.events()) ?? [];
    await writeResultFile(tools.fs, repository.root, run, runResult(plan, events, second(10)));
    expect(await workspace.resume()).toMatchObject({
      kind: 'nothing',
      reason: expect.stringContaining('retry --all') as unknown,
    });
  });

  it('finishes what a process that died at the very end of a run had not come to', async () => {
    const command = 'mkdir -p a; echo run >> a/out';
    const simple = parallelPlan({ agents: [{ command }], tasks: ['a'] });
    const base = (await repository.git(['rev-parse', 'main'])).trim();
    const run = await workspace.start(simple);
    const { target } = await run.done;
    expect(await workspace.resume()).toMatchObject({ kind: 'nothing' });

    await repository.git(['reset', '--quiet', '--hard', base]);
    rmSync(run.reportPath);
    const again = await workspace.resume();
    if (again.kind !== 'resumed') throw new Error('It did not go on.');
    expect((await again.run.done).parallel_execution.status).toBe('completed');
    expect((await repository.git(['rev-parse', 'main'])).trim()).toBe(target.commit);
    expect(await repository.git(['show', 'main:a/out'])).toBe('run');
    expect(await workspace.resume()).toMatchObject({ kind: 'nothing' });
  });

  it('tells a paused run to go on, and leaves a running one alone', async () => {
    const run = await journal([]);
    expect(await workspace.resume()).toMatchObject({ kind: 'nothing' });
    const other = await journal([{ type: 'run:mode', mode: 'paused', reason: '', at: second(1) }]);
    expect(await workspace.resume()).toEqual({ kind: 'signalled', runId: other });
    expect([await requestsIn(run), await requestsIn(other)]).toEqual([[], [{ kind: 'resume' }]]);
  });
});
