import { createHash } from 'node:crypto';
import type { Failure } from '../model/failure';
import { classifyFailure, failureClass, failureLog } from '../model/failure';
import { retryAfterMs } from '../model/output-hints';
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
 * journal gives the same delay. A program that asked to be left alone for a time (`retry-after:`) is
 * left alone for at least that time, whatever the policy: the back-off comes on top, so that 25
 * agents under one limit do not come back at one instant.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  seed: string,
  failure: Failure,
): number {
  return askedDelayMs(failure) + backoffMs(policy, attempt, seed);
}

/** Only who was turned away by a server knows when to come back. */
function askedDelayMs(failure: Failure): number {
  const name = failureClass(failure);
  if (name !== 'try-later' && name !== 'transient') return 0;
  return retryAfterMs(failureLog(failure)) ?? 0;
}

function backoffMs(policy: RetryPolicy, attempt: number, seed: string): number {
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
