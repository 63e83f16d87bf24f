import type { TaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import type { SchedulerBench } from '../testing/scheduler-bench';
import { startedBench } from '../testing/scheduler-bench';
import { ToldLoop } from '../testing/told-loop';
import { handInsOf } from './hand-ins';

describe('who waits for attempts that are about to hand in', () => {
  let clock: HandClock;
  let run: SchedulerBench;
  let loop: ToldLoop;
  let isOver: boolean;

  beforeEach(() => {
    clock = new HandClock();
    run = startedBench({ tasks: ['a', 'b', { id: 'c', verify: ['make test'] }] });
    run.lease('a', 1).lease('b', 2).lease('c', 3);
    loop = new ToldLoop(run);
    isOver = false;
  });

  const verify = (task: string): void => {
    loop.tell(() => run.tell({ type: 'task:verifying', task: task as TaskId, attempt: 1 }));
  };
  const queue = (task: string): void => {
    loop.tell(() => run.queue(task));
  };
  const begin = (): Promise<void> => {
    void handInsOf(loop, clock)().then(() => (isOver = true));
    return Promise.resolve();
  };

  it('goes on at once when agents are still at work, or their checks', async () => {
    verify('c');
    await begin();
    expect(isOver).toBe(true);
    expect(loop.listening).toBe(0);
  });

  it('waits until the last of them is queued', async () => {
    verify('a');
    verify('b');
    await begin();
    queue('a');
    await Promise.resolve();
    expect(isOver).toBe(false);
    queue('b');
    await Promise.resolve();
    expect(isOver).toBe(true);
    expect([loop.listening, clock.waiting]).toEqual([0, 0]);
  });

  it('waits for a tenth of a second at the most', async () => {
    verify('a');
    await begin();
    clock.pass(99);
    await Promise.resolve();
    expect(isOver).toBe(false);
    clock.pass(1);
    await Promise.resolve();
    expect(isOver).toBe(true);
    expect(loop.listening).toBe(0);
  });
});
