import { createHash } from 'node:crypto';
import type { Failure } from '../model/failure';
import { classifyFailure, failureClass, failureLog } from '../model/failure';
import { retryAfterMs } from '../model/output-hints';
import type { RetryPolicy } from '../model/task';

/** Most free retries (try later, interrupted) of one task before they count as failures after all. */
const FREE_RETRIES = 20;

/** What a task has failed with so far, the last failure included. */
export interface FailureCount {
  /** Failures that count. */
  readonly spent: number;
  /** Failures that do not: try later, interrupted, a lost lease. */
  readonly free: number;
}

/** Whether a task may be tried again after `failure`. */
export function mayRetry(
  policy: RetryPolicy,
  failure: Failure,
  { spent, free }: FailureCount,
): boolean {
  switch (classifyFailure(failure)) {
    case 'final':
      return false;
    case 'free-retry':
      return free <= FREE_RETRIES;
    case 'retryable':
      return spent <= policy.maxRetries;
  }
}

/**
 * Delay in ms before the next attempt, after `failures` (1 and more) failed ones. Exponential back-off with full jitter (AWS Architecture
 * Blog, "Exponential Backoff And Jitter"). The jitter is a hash of `seed`, so a replay of the
 * journal gives the same delay. A program that asked to be left alone for a time (`retry-after:`) is
 * left alone for at least that time, whatever the policy: the back-off comes on top, so that 25
 * agents under one limit do not come back at one instant.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  failures: number,
  seed: string,
  failure: Failure,
): number {
  return askedDelayMs(failure) + backoffMs(policy, failures, seed);
}

/**
 * What is left of a back-off at `at` (epoch ms), in ms. Where the clock says that it has not begun yet, the
 * clock was set: it is all to come then, and never more than that.
 */
export function backoffLeftMs(
  { since, retryAt }: { readonly since: number; readonly retryAt: number },
  at: number,
): number {
  return Math.max(0, retryAt - Math.max(since, at));
}

/** Only who was turned away by a server knows when to come back. */
function askedDelayMs(failure: Failure): number {
  const name = failureClass(failure);
  if (name !== 'try-later' && name !== 'transient') return 0;
  return retryAfterMs(failureLog(failure)) ?? 0;
}

function backoffMs(policy: RetryPolicy, failures: number, seed: string): number {
  switch (policy.backoff) {
    case 'none':
      return 0;
    case 'fixed':
      return policy.baseMs;
    case 'exponential': {
      const doublings = Math.min(Math.max(failures - 1, 0), 30);
      const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** doublings);
      const hash = createHash('sha1').update(seed).digest().readUInt32BE(0);
      return Math.round((hash / 0xffffffff) * ceiling);
    }
  }
}
