import { createHash } from 'node:crypto';
import type { Failure } from '../model/failure';
import { classifyFailure } from '../model/failure';
import type { RetryPolicy } from '../model/task';

/** Most free retries (try later, interrupted) of one task before they count as failures after all. */
const FREE_RETRIES = 20;

/** Whether a task may be tried again after `failure`, having consumed `spent` retries and made `attempt` attempts. */
export function mayRetry(
  policy: RetryPolicy,
  failure: Failure,
  spent: number,
  attempt: number,
): boolean {
  switch (classifyFailure(failure)) {
    case 'final':
      return false;
    case 'free-retry':
      return attempt - spent <= FREE_RETRIES;
    case 'retryable':
      return spent <= policy.maxRetries;
  }
}

/**
 * Delay in ms before attempt `attempt + 1`. Exponential back-off with full jitter (AWS Architecture
 * Blog, "Exponential Backoff And Jitter"). The jitter is a hash of `seed`, so a replay of the
 * journal gives the same delay.
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, seed: string): number {
  switch (policy.backoff) {
    case 'none':
      return 0;
    case 'fixed':
      return policy.baseMs;
    case 'exponential': {
      const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
      const hash = createHash('sha1').update(`${seed}/${attempt}`).digest().readUInt32BE(0);
      return Math.round((hash / 0xffffffff) * ceiling);
    }
  }
}
