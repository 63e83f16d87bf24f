import * as fc from 'fast-check';
import { HandClock } from '../testing/hand-clock';
import { pausableTimer } from './pausable-timer';

describe('a pausable timer', () => {
  const make = (delayMs: number) => {
    const clock = new HandClock();
    const calls: number[] = [];
    const timer = pausableTimer(clock, delayMs, () => calls.push(clock.now()));
    return { clock, calls, timer };
  };

  it('is a plain timer while nobody pauses it', () => {
    const { clock, calls } = make(100);
    clock.pass(99);
    expect(calls).toEqual([]);
    clock.pass(1);
    expect(calls).toEqual([100]);
  });

  it('does not count the time it was paused', () => {
    const { clock, calls, timer } = make(100);
    clock.pass(60);
    timer.pause();
    clock.pass(1_000_000);
    expect(calls).toEqual([]);
    timer.resume();
    clock.pass(39);
    expect(calls).toEqual([]);
    clock.pass(1);
    expect(calls).toHaveLength(1);
  });

  it('calls once at most, and never after it was cancelled, paused or not', () => {
    const fired = make(10);
    fired.clock.pass(10);
    fired.timer.pause();
    fired.timer.resume();
    fired.clock.pass(100);
    expect(fired.calls).toEqual([10]);
    for (const before of ['running', 'paused'] as const) {
      const { clock, calls, timer } = make(10);
      if (before === 'paused') timer.pause();
      timer.cancel();
      timer.resume();
      clock.pass(100);
      expect(calls).toEqual([]);
      expect(clock.waiting).toBe(0);
    }
  });

  it('fires exactly when the time that was not paused adds up', () => {
    const step = fc.record({
      ms: fc.integer({ min: 0, max: 50 }),
      then: fc.constantFrom('pause', 'resume', 'nothing'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(step), (delayMs, steps) => {
        const { clock, calls, timer } = make(delayMs);
        let running = true;
        let counted = 0;
        for (const { ms, then } of steps) {
          clock.pass(ms);
          if (running) counted += ms;
          expect(calls).toHaveLength(counted >= delayMs ? 1 : 0);
          if (then === 'nothing') continue;
          timer[then]();
          running = then === 'resume';
        }
      }),
    );
  });
});
