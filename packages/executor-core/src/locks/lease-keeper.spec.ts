import type { Clock } from '../ports/clock';
import { parseRunId, parseTaskId } from '../model/ids';
import { createLeaseKeeper } from './lease-keeper';
import type { LeaseRecord } from './lease-record';

/** Timers that fire when told to. */
class HandClock implements Clock {
  readonly timers = new Map<() => void, number>();
  now = (): number => 0;
  after = (delayMs: number, callback: () => void): (() => void) => {
    this.timers.set(callback, delayMs);
    return () => this.timers.delete(callback);
  };
  fire(): void {
    for (const callback of [...this.timers.keys()]) {
      this.timers.delete(callback);
      callback();
    }
  }
}

const lease: LeaseRecord = {
  token: 1,
  request: 'r',
  run: parseRunId('PEXEC-1'),
  task: parseTaskId('t'),
  priority: 50,
  owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
  access: { reads: [], writes: [] },
  resources: [],
  policy: 'wait',
  slot: null,
  grantedAt: 0,
  ttlMs: 1_000,
};

/** Fires the timers; resolves with the number of heartbeats that were tried. */
async function beats(clock: HandClock, beat: jest.Mock): Promise<number> {
  const before = beat.mock.calls.length;
  clock.fire();
  await new Promise(setImmediate);
  return beat.mock.calls.length - before;
}

describe('the lease keeper', () => {
  it('beats for what it keeps, at every interval', async () => {
    const clock = new HandClock();
    const beat = jest.fn(() => Promise.resolve(true));
    const keeper = createLeaseKeeper(beat, clock, 250);
    keeper.keep(lease);
    keeper.wake();
    expect([...clock.timers.values()]).toEqual([250]);
    expect(await beats(clock, beat)).toBe(1);
    expect(await beats(clock, beat)).toBe(1);
    expect(beat).toHaveBeenCalledWith(lease);
  });

  it('forgets a lease that has gone', async () => {
    const clock = new HandClock();
    const beat = jest.fn(() => Promise.resolve(false));
    const keeper = createLeaseKeeper(beat, clock, 250);
    keeper.keep(lease);
    keeper.wake();
    expect(await beats(clock, beat)).toBe(1);
    expect(await beats(clock, beat)).toBe(0);
    expect(clock.timers.size).toBe(0);
  });

  it('starts no timer for what is kept only for a moment', () => {
    const clock = new HandClock();
    const keeper = createLeaseKeeper(() => Promise.resolve(true), clock, 250);
    keeper.keep(lease);
    expect(clock.timers.size).toBe(0);
    keeper.wake();
    keeper.wake();
    expect(clock.timers.size).toBe(1);
  });

  it('leaves no timer when it keeps nothing or is stopped', () => {
    const clock = new HandClock();
    const keeper = createLeaseKeeper(() => Promise.resolve(true), clock, 250);
    keeper.keep(lease);
    keeper.wake();
    keeper.drop(lease.token);
    expect(clock.timers.size).toBe(0);
    keeper.wake();
    expect(clock.timers.size).toBe(0);
    keeper.keep(lease);
    keeper.wake();
    keeper.stop();
    expect(clock.timers.size).toBe(0);
  });

  it('goes on after a beat that failed', async () => {
    const clock = new HandClock();
    const beat = jest.fn(() => Promise.reject(new Error('busy')));
    const keeper = createLeaseKeeper(beat, clock, 250);
    keeper.keep(lease);
    keeper.wake();
    expect(await beats(clock, beat)).toBe(1);
    expect(await beats(clock, beat)).toBe(1);
  });
});
