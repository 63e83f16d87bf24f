import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import { LiveBarriers } from './live-barriers';

const opened = (barrier: string): RunEvent => ({ type: 'barrier:opened', barrier, at: 1 });
const broken = (barrier: string): RunEvent => ({
  type: 'barrier:broken',
  barrier,
  by: parseTaskId('a'),
  reason: 'a failed',
  at: 1,
});

describe('LiveBarriers', () => {
  let clock: HandClock;
  let barriers: LiveBarriers;
  beforeEach(() => {
    clock = new HandClock();
    barriers = new LiveBarriers(clock);
    barriers.begin(['one', 'two']);
  });

  it('lets through who waits and who comes later', async () => {
    const early = barriers.wait('one');
    barriers.take(opened('one'));
    await early;
    await barriers.wait('one');
  });

  it('waits for a run that has not begun', async () => {
    const fresh = new LiveBarriers(clock);
    const waiting = fresh.wait('one');
    fresh.begin(['one']);
    fresh.take(opened('one'));
    await waiting;
  });

  it('rejects at once when the barrier breaks, also who comes later', async () => {
    const waiting = barriers.wait('one');
    barriers.take(broken('one'));
    await expect(waiting).rejects.toThrow('The barrier one can never open: a failed.');
    await expect(barriers.wait('one')).rejects.toThrow('a failed');
  });

  it('waits again when what broke the barrier is tried anew', async () => {
    barriers.take(broken('one'));
    barriers.take({ type: 'task:reopened', task: parseTaskId('a'), by: 'you', at: 2 });
    const waiting = barriers.wait('one');
    barriers.take(opened('one'));
    await waiting;
  });

  it('rejects when the run ends without it, or the plan has no such phase', async () => {
    const waiting = barriers.wait('two');
    barriers.end();
    await expect(waiting).rejects.toThrow('ended before two');
    await expect(barriers.wait('three')).rejects.toThrow('the phases are: one, two');
  });

  it('gives up after the time given, and leaves no timer behind', async () => {
    const waiting = barriers.wait('one', { timeoutMs: 50 });
    const patient = barriers.wait('one', { timeoutMs: 500 });
    clock.pass(50);
    await expect(waiting).rejects.toThrow('did not open within 50 ms');
    barriers.take(opened('one'));
    await patient;
    expect(clock.waiting).toBe(0);
  });

  it('knows nothing of an earlier execution', async () => {
    barriers.take(opened('one'));
    barriers.end();
    barriers.begin(['one']);
    const waiting = barriers.wait('one', { timeoutMs: 10 });
    clock.pass(10);
    await expect(waiting).rejects.toThrow('did not open');
  });
});
