import { createHash } from 'node:crypto';
import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
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
 * Delay in ms before the next attempt, after `failures` (1 and more) failed ones. Exponential back-off
 * with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). The jitter is a hash of
 * `seed`, so a replay of the journal gives the same delay.
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, seed: string): number {
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
