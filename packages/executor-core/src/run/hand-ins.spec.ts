import type { TaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import type { SchedulerBench } from '../testing/scheduler-bench';
import { startedBench } from '../testing/scheduler-bench';
import { handInsOf } from './hand-ins';
import type { EventListener } from './run-loop';

describe('who waits for attempts that are about to hand in', () => {
  let clock: HandClock;
  let run: SchedulerBench;
  let listeners: Set<EventListener>;
  let isOver: boolean;

  beforeEach(() => {
    clock = new HandClock();
    run = startedBench({ tasks: ['a', 'b', { id: 'c', verify: ['make test'] }] });
    run.lease('a', 1).lease('b', 2).lease('c', 3);
    listeners = new Set();
    isOver = false;
  });

  const fire = (): void => {
    for (const event of run.journal.slice(-1)) for (const listener of listeners) listener(event);
  };
  const verify = (task: string): void => {
    run.tell({ type: 'task:verifying', task: task as TaskId, attempt: 1 });
    fire();
  };
  const queue = (task: string): void => {
    run.queue(task);
    fire();
  };
  const begin = (): Promise<void> => {
    const loop = {
      get current() {
        return run.state;
      },
      on(listener: EventListener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    void handInsOf(loop, clock)().then(() => (isOver = true));
    return Promise.resolve();
  };

  it('goes on at once when agents are still at work, or their checks', async () => {
    verify('c');
    await begin();
    expect(isOver).toBe(true);
    expect(listeners.size).toBe(0);
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
    expect([listeners.size, clock.waiting]).toEqual([0, 0]);
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
    expect(listeners.size).toBe(0);
  });
});
