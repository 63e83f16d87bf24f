import type { ProcessIdentity } from '../model/process';
import type { TaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import type { SchedulerBench } from '../testing/scheduler-bench';
import { startedBench } from '../testing/scheduler-bench';
import { ToldLoop } from '../testing/told-loop';
import { startsOf } from './starts';

const PROCESS: ProcessIdentity = { pid: 1, startTime: '', bootId: '', host: '' };

describe('who lets agents start first', () => {
  let clock: HandClock;
  let run: SchedulerBench;
  let loop: ToldLoop;
  let startsFirst: () => Promise<void>;
  let isOver: boolean;

  /** Agents `a` and `b` are in the only two slots; `c` and `d` wait for one. */
  beforeEach(() => {
    clock = new HandClock();
    isOver = false;
    run = startedBench({ tasks: ['a', 'b', 'c', 'd'], settings: { maxAgents: 2 } });
    loop = new ToldLoop(run);
    startsFirst = startsOf(loop, clock);
    loop.tell(() => run.lease('a', 1).lease('b', 2));
    started('a');
    started('b');
  });

  const started = (task: string): void => {
    loop.tell(() =>
      run.tell({ type: 'process:started', task: task as TaskId, attempt: 1, process: PROCESS }),
    );
  };
  const leave = (task: string): void => {
    loop.tell(() =>
      run.tell({ type: 'task:verifying', task: task as TaskId, attempt: 1, leavesSlot: true }),
    );
  };
  const begin = async (): Promise<void> => {
    void startsFirst().then(() => (isOver = true));
    await Promise.resolve();
  };

  it('goes on at once when all of them work', async () => {
    await begin();
    expect(isOver).toBe(true);
    expect([loop.listening, clock.waiting]).toEqual([1, 0]);
  });

  it('waits from the moment a task asks for the slot until its agent runs', async () => {
    leave('a');
    await begin();
    expect(isOver).toBe(false);
    loop.tell(() => run.lease('c', 1));
    await Promise.resolve();
    expect(isOver).toBe(false);
    started('c');
    await Promise.resolve();
    expect(isOver).toBe(true);
    expect([loop.listening, clock.waiting]).toEqual([1, 0]);
  });

  it('does not wait for a start that failed, nor for a task that somebody is in the way of', async () => {
    leave('a');
    leave('b');
    loop.tell(() => run.lease('c', 1));
    loop.tell(() => run.tell({ type: 'task:waiting', task: 'd' as TaskId, holders: [] }));
    await begin();
    expect(isOver).toBe(false);
    loop.tell(() => run.fail('c'));
    await Promise.resolve();
    expect(isOver).toBe(true);
  });

  it('waits for a fifth of a second at the most', async () => {
    leave('a');
    await begin();
    clock.pass(199);
    await Promise.resolve();
    expect(isOver).toBe(false);
    clock.pass(1);
    await Promise.resolve();
    expect(isOver).toBe(true);
    expect(loop.listening).toBe(1);
  });
});
