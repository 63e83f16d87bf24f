import { nodeToolbox } from '../create-executor';
import type { EventOf, RunEvent } from '../model/event';
import type { Plan } from '../model/task';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';
import { landBundles } from './cached-landing';
import type { Engine } from './engine';
import { openEngine } from './engine';
import type { NxTask, NxTaskOutcome } from './nx-door';
import { inTaskTurn, runNxTasks, runSingleTask } from './nx-door';
import { inSharedRun } from './shared-run';
import { parseRunId } from '../model/ids';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig();
});
afterEach(async () => {
  await rig.done();
});

const open = (): Promise<Engine> => openEngine(nodeToolbox(), rig.root, 30_000);
const PLAN: Plan = planOf({
  agents: [{ command: 'mkdir -p $PARALLEL_TASK_ID; ls > $PARALLEL_TASK_ID/x' }],
  tasks: ['a', 'b'],
  settings: { maxAgents: 8 },
});

/** Runs one task in a shared run; resolves with what happened. */
async function single(task: string, runId: string, parallel?: number): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
  };
  const result = await runSingleTask(await open(), PLAN, { task, runId, parallel, onEvent });
  expect(result).toMatchObject({ success: true });
  return events;
}

describe('the processes of one Nx command', () => {
  it('join one run, which is as wide as Nx and never wider than the plan', async () => {
    const isStart = (event: RunEvent): event is EventOf<'run:started'> =>
      event.type === 'run:started';
    const first = await single('a', 'PEXEC-1', 3);
    const second = await single('b', 'PEXEC-1', 3);
    expect([...first, ...second].filter(isStart)).toMatchObject([
      { maxAgents: 3, frontDoor: 'nx' },
    ]);
    expect(second[0]).toMatchObject({ type: 'run:joined' });
    const wide = await single('a', 'PEXEC-2', 25);
    expect(wide.find(isStart)?.maxAgents).toBe(8);
    const unknown = await single('a', 'PEXEC-3');
    expect(unknown.find(isStart)?.maxAgents).toBe(8);
  });
});

it('a task that is told to stop before it starts starts no agent', async () => {
  const signal = AbortSignal.abort();
  const result = await runSingleTask(await open(), PLAN, { task: 'a', runId: 'PEXEC-1', signal });
  expect(result).toMatchObject({ success: false, reason: 'stopped before it landed' });
  expect(await rig.git('ls-files')).toBe('README.md');
});

describe('two Nx commands in one checkout', () => {
  it('produce the result of a task one after the other, and the second is told that it waits', async () => {
    const engines = [await open(), await open()] as const;
    const order: string[] = [];
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let started: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => {
      started = resolve;
    });
    const say = (word: string) => () => {
      order.push(word);
    };
    const first = inTaskTurn(
      engines[0],
      { tasks: ['a'], onWaiting: say('first waits') },
      async () => {
        started();
        await finished;
        order.push('first');
      },
    );
    await inside;
    await inTaskTurn(engines[1], { tasks: ['b'], onWaiting: say('other waits') }, () => {
      order.push('other');
      return Promise.resolve();
    });
    const waiting = (): void => {
      order.push('second waits');
      finish();
    };
    await inTaskTurn(engines[1], { tasks: ['a'], onWaiting: waiting }, () => {
      order.push('second');
      return Promise.resolve();
    });
    await first;
    expect(order).toEqual(['other', 'second waits', 'first', 'second']);
  });

  it('stop waiting when they are told to end', async () => {
    const engines = [await open(), await open()] as const;
    const abort = new AbortController();
    await inTaskTurn(engines[0], { tasks: ['a'], onWaiting: () => undefined }, async () => {
      const second = inTaskTurn(
        engines[1],
        {
          tasks: ['a'],
          signal: abort.signal,
          onWaiting: () => {
            abort.abort();
          },
        },
        () => Promise.reject(new Error('it ran')),
      );
      await expect(second).rejects.toMatchObject({ name: 'MutexTimeout' });
    });
  });

  it('take the turns of several tasks in one order, so that none waits in a circle', async () => {
    const engines = [await open(), await open()] as const;
    const onWaiting = (): void => undefined;
    const order: string[] = [];
    const body = (word: string) => () => Promise.resolve(void order.push(word));
    await Promise.all([
      inTaskTurn(engines[0], { tasks: ['a', 'b', 'c'], onWaiting }, body('first')),
      inTaskTurn(engines[1], { tasks: ['c', 'b', 'a'], onWaiting }, body('second')),
    ]);
    expect(order.sort()).toEqual(['first', 'second']);
  });

  it('pass on what the body throws', async () => {
    const boom = Promise.reject(new Error('boom'));
    await expect(
      inTaskTurn(await open(), { tasks: ['a'], onWaiting: () => undefined }, () => boom),
    ).rejects.toThrow('boom');
  });

  it('build upon each other: what the first landed is in the base of the second', async () => {
    const late = await open();
    const run = parseRunId('PEXEC-2');
    // The second command has begun: its integration branch starts at the old head.
    await inSharedRun(late, { plan: PLAN, run, tasks: [] }, (parts, first) =>
      parts.loop.emit(first),
    );
    await single('a', 'PEXEC-1');
    expect(await landBundles(await open(), PLAN, { runId: run, tasks: ['a'] })).toMatchObject({
      already: ['a'],
    });
    await single('b', 'PEXEC-2');
    expect((await rig.git('show', 'HEAD:b/x')).split('\n')).toEqual(['README.md', 'a', 'b']);
    expect(await rig.git('status', '--porcelain')).toBe('');
  });
});

it('the target gets all that lands from bundles, however soon one comes after the other', async () => {
  const tasks = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const plan = planOf({
    agents: [{ command: 'mkdir -p $PARALLEL_TASK_ID; echo x > $PARALLEL_TASK_ID/x' }],
    tasks: tasks.map((id) => ({ id, writes: [`${id}/**`] })),
    settings: { maxAgents: 8 },
  });
  const run = { runId: 'PEXEC-1', tasks: tasks.map((task) => ({ task })) };
  await runNxTasks(await open(), plan, run, () => undefined);
  await rig.git('reset', '-q', '--hard', 'HEAD~8');
  const again = await landBundles(await open(), plan, { runId: 'PEXEC-2', tasks });
  expect(again.landed).toEqual(tasks);
  expect((await rig.git('ls-files')).split('\n')).toEqual([
    'README.md',
    ...tasks.map((task) => `${task}/x`),
  ]);
});

describe('a batch of Nx', () => {
  const WRITES = 'mkdir -p $PARALLEL_TASK_ID; ls > $PARALLEL_TASK_ID/x';
  const planWith = (command: string, settings: Partial<Plan['settings']> = {}): Plan =>
    planOf({
      agents: [{ command }],
      tasks: ['a', 'b', 'c'],
      settings: {
        maxAgents: 8,
        retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 },
        ...settings,
      },
    });

  const batch = async (
    plan: Plan,
    tasks: readonly NxTask[],
    parallel?: number,
  ): Promise<{ readonly events: RunEvent[]; readonly outcomes: readonly NxTaskOutcome[] }> => {
    const events: RunEvent[] = [];
    const told: NxTaskOutcome[] = [];
    const onEvent = (event: RunEvent): void => {
      events.push(event);
    };
    const request = { tasks, runId: 'PEXEC-1', parallel, onEvent };
    const outcomes = await runNxTasks(await open(), plan, request, (one) => told.push(one));
    expect(told).toHaveLength(outcomes.length);
    expect(told).toEqual(expect.arrayContaining([...outcomes]));
    return { events, outcomes };
  };

  it('runs in one process, in the order of its tasks, each outcome told when it has landed', async () => {
    const tasks = [{ task: 'c', after: ['a', 'b'] }, { task: 'a' }, { task: 'b', after: ['a'] }];
    const { outcomes, events } = await batch(planWith(WRITES), tasks);
    expect(outcomes.map(({ task, status }) => `${task} ${status}`)).toEqual([
      'c success',
      'a success',
      'b success',
    ]);
    expect((await rig.git('show', 'HEAD:c/x')).split('\n')).toEqual(['README.md', 'a', 'b', 'c']);
    expect(events.filter(({ type }) => type === 'run:started')).toHaveLength(1);
  });

  it('has no more agents at once than Nx runs tasks, in slots of that many', async () => {
    const { events } = await batch(
      planWith(WRITES),
      [{ task: 'a' }, { task: 'b' }, { task: 'c' }],
      1,
    );
    const slots = events.flatMap((event) => (event.type === 'task:started' ? [event.slot] : []));
    expect(slots).toEqual([1, 1, 1]);
    expect(events.some(({ type }) => type === 'task:stolen')).toBe(false);
  });

  it('skips what comes after a task that failed, and lands the rest', async () => {
    const fails = `test $PARALLEL_TASK_ID = a && exit 3; ${WRITES}`;
    const tasks = [{ task: 'a' }, { task: 'b', after: ['a'] }, { task: 'c' }];
    const { outcomes } = await batch(planWith(fails), tasks);
    expect(outcomes).toMatchObject([
      { task: 'a', status: 'failure', reason: 'agent exited with code 3' },
      { task: 'b', status: 'skipped' },
      { task: 'c', status: 'success', reason: null },
    ]);
    expect(await rig.git('ls-files')).toBe('README.md\nc/x');
  });

  it('keeps to the leases of the plan', async () => {
    const plan = planOf({
      agents: [{ command: 'echo $PARALLEL_TASK_ID >> same.txt' }],
      tasks: ['a', 'b', 'c'].map((id) => ({ id, writes: ['same.txt'] })),
    });
    const { outcomes } = await batch(plan, [{ task: 'a' }, { task: 'b' }, { task: 'c' }]);
    expect(outcomes.every(({ status }) => status === 'success')).toBe(true);
    expect((await rig.git('show', 'HEAD:same.txt')).split('\n').sort()).toEqual(['a', 'b', 'c']);
  });
});
