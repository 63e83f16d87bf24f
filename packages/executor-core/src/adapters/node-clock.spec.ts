import { nodeClock } from './node-clock';

describe('nodeClock', () => {
  const clock = nodeClock();

  it('tells the time in epoch milliseconds', () => {
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('calls back once after the delay', async () => {
    const start = performance.now();
    await new Promise<void>((resolve) => clock.after(20, resolve));
    expect(performance.now() - start).toBeGreaterThanOrEqual(18);
  });

  it('does not call back when cancelled', async () => {
    let called = false;
    const cancel = clock.after(1, () => {
      called = true;
    });
    cancel();
    await new Promise<void>((resolve) => clock.after(10, resolve));
    expect(called).toBe(false);
  });

  it('treats a negative delay as no delay', async () => {
    await new Promise<void>((resolve) => clock.after(-5, resolve));
  });

  describe('with a fake timer', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('waits longer than one system timer can', () => {
      const days40 = 40 * 24 * 3600 * 1000;
      let called = false;
      clock.after(days40, () => {
        called = true;
      });
      jest.advanceTimersByTime(days40 - 1);
      expect(called).toBe(false);
      jest.advanceTimersByTime(1);
      expect(called).toBe(true);
    });

    it('cancels the later part of a long wait too', () => {
      const days40 = 40 * 24 * 3600 * 1000;
      const callback = jest.fn();
      const cancel = clock.after(days40, callback);
      jest.advanceTimersByTime(days40 - 1);
      cancel();
      jest.advanceTimersByTime(1000);
      expect(callback).not.toHaveBeenCalled();
    });
  });
});
