import * as fc from 'fast-check';
import type { Failure } from '../model/failure';
import type { RetryPolicy } from '../model/task';
import { backoffLeftMs, mayRetry, retryDelayMs } from './retry-policy';

const EXPONENTIAL: RetryPolicy = {
  maxRetries: 3,
  backoff: 'exponential',
  baseMs: 1000,
  maxMs: 60_000,
};
const BOOM: Failure = { kind: 'agent-exit', code: 3, tail: 'boom' };
const later = (tail: string): Failure => ({ kind: 'try-later', tail });

describe('the delay before a retry', () => {
  it('doubles its ceiling per attempt and never exceeds the policy’s', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.string(), (attempt, seed) => {
        const delay = retryDelayMs(EXPONENTIAL, attempt, seed, BOOM);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(60_000, 1000 * 2 ** (attempt - 1)));
      }),
    );
  });

  it('is the same whenever the journal is replayed, and differs between tasks', () => {
    const delays = ['a', 'b', 'c', 'd'].map((seed) => retryDelayMs(EXPONENTIAL, 5, seed, BOOM));
    expect(delays).toEqual(
      ['a', 'b', 'c', 'd'].map((seed) => retryDelayMs(EXPONENTIAL, 5, seed, BOOM)),
    );
    expect(new Set(delays).size).toBe(4);
  });

  it('is at least what the agent asks for, with the jitter on top', () => {
    const plain = retryDelayMs(EXPONENTIAL, 2, 'a', later(''));
    expect(retryDelayMs(EXPONENTIAL, 2, 'a', later('retry-after: 30'))).toBe(30_000 + plain);
    expect(retryDelayMs({ ...EXPONENTIAL, backoff: 'none' }, 1, 'a', later('retry-after: 7'))).toBe(
      7000,
    );
  });

  it('hears a wish only of one that was turned away', () => {
    const none: RetryPolicy = { ...EXPONENTIAL, backoff: 'none' };
    const limited: Failure = { kind: 'agent-exit', code: 1, tail: 'HTTP 429\nretry-after: 5' };
    expect(retryDelayMs(none, 1, 'a', limited)).toBe(5000);
    expect(retryDelayMs(none, 1, 'a', { ...BOOM, tail: 'retry-after: 5' })).toBe(0);
  });

  it('is constant where the policy says so', () => {
    const fixed: RetryPolicy = { ...EXPONENTIAL, backoff: 'fixed' };
    expect([1, 2, 9].map((attempt) => retryDelayMs(fixed, attempt, 'a', BOOM))).toEqual([
      1000, 1000, 1000,
    ]);
  });
});

describe('whether a task is tried again', () => {
  it('ends with the retries the policy gives', () => {
    expect([1, 2, 3, 4].map((spent) => mayRetry(EXPONENTIAL, BOOM, { spent, free: 0 }))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('a transient fault consumes a retry like any other', () => {
    const transient: Failure = { kind: 'agent-exit', code: 1, tail: 'ECONNRESET' };
    expect(mayRetry(EXPONENTIAL, transient, { spent: 4, free: 0 })).toBe(false);
  });

  it('try-later is free, and bounded', () => {
    expect(mayRetry({ ...EXPONENTIAL, maxRetries: 0 }, later(''), { spent: 0, free: 20 })).toBe(
      true,
    );
    expect(mayRetry(EXPONENTIAL, later(''), { spent: 0, free: 21 })).toBe(false);
  });

  it.each<Failure>([
    { kind: 'cancelled', by: 'you' },
    { kind: 'deadline', scope: 'run', afterMs: 1 },
  ])('never after %j', (failure) => {
    expect(mayRetry(EXPONENTIAL, failure, { spent: 0, free: 1 })).toBe(false);
  });
});

describe('what is left of a back-off', () => {
  const backoff = { since: 10_000, retryAt: 14_000 };

  it('gets less as time goes by, to nothing', () => {
    expect([10_000, 11_000, 14_000, 20_000].map((at) => backoffLeftMs(backoff, at))).toEqual([
      4000, 3000, 0, 0,
    ]);
  });

  it('is never more than it was, whatever the clock was set to meanwhile', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), fc.integer(), (since, delay, at) => {
        const left = backoffLeftMs({ since, retryAt: since + delay }, at);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThanOrEqual(delay);
      }),
    );
  });
});
