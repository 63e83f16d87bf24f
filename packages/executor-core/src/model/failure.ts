/**
 * Why an attempt did not become a landed change. Expected failures are values of this union;
 * `throw` is kept for bugs.
 */
export type Failure =
  | { readonly kind: 'agent-exit'; readonly code: number; readonly tail: string }
  | { readonly kind: 'agent-signal'; readonly signal: string; readonly tail: string }
  | { readonly kind: 'agent-error'; readonly message: string }
  | { readonly kind: 'try-later'; readonly tail: string }
  | { readonly kind: 'timeout'; readonly afterMs: number; readonly tail: string }
  | { readonly kind: 'setup-failed'; readonly step: string; readonly tail: string }
  | {
      readonly kind: 'verify-failed';
      /** `worktree`: the task's own checks; `merged`: the plan's checks on the merged tree. */
      readonly where: 'worktree' | 'merged';
      readonly command: string;
      readonly code: number | null;
      readonly tail: string;
    }
  | {
      readonly kind: 'lock-violation';
      readonly paths: readonly string[];
      readonly allowed: readonly string[];
    }
  | { readonly kind: 'conflict'; readonly paths: readonly string[]; readonly onto: string }
  | {
      readonly kind: 'lease-timeout';
      readonly waitedMs: number;
      readonly holders: readonly string[];
    }
  | { readonly kind: 'lost-lease'; readonly token: number }
  /** The agent said it was done, changed nothing, and did not declare that nothing was to be done. */
  | { readonly kind: 'no-evidence'; readonly tail: string }
  /** The time of the task over all its attempts, or of the run, is up. */
  | { readonly kind: 'deadline'; readonly scope: 'task' | 'run'; readonly afterMs: number }
  | { readonly kind: 'interrupted'; readonly message: string }
  | { readonly kind: 'cancelled'; readonly by: string };

/** What a failure means for the retry policy; each class has one cure. */
export type FailureClass = 'retryable' | 'free-retry' | 'final';

/** `free-retry` does not consume one of `max_retries`; `final` is never tried again. */
export function classifyFailure(failure: Failure): FailureClass {
  switch (failure.kind) {
    case 'agent-exit':
    case 'agent-signal':
    case 'agent-error':
    case 'timeout':
    case 'setup-failed':
    case 'verify-failed':
    case 'lock-violation':
    case 'conflict':
    case 'no-evidence':
      return 'retryable';
    case 'try-later':
    case 'lost-lease':
    case 'interrupted':
      return 'free-retry';
    case 'lease-timeout':
    case 'deadline':
    case 'cancelled':
      return 'final';
  }
}

/** One line for people: what went wrong, without the log. */
export function describeFailure(failure: Failure): string {
  switch (failure.kind) {
    case 'agent-exit':
      return `agent exited with code ${failure.code}`;
    case 'agent-signal':
      return `agent was ended by ${failure.signal}`;
    case 'agent-error':
      return failure.message;
    case 'try-later':
      return 'agent asked to be tried later (exit code 75)';
    case 'timeout':
      return `Timeout exceeded (${Math.round(failure.afterMs / 1000)} s)`;
    case 'setup-failed':
      return `worktree set-up failed at ${failure.step}`;
    case 'verify-failed':
      return `check failed on the ${failure.where === 'merged' ? 'merged tree' : 'worktree'}: ${failure.command}`;
    case 'lock-violation':
      return `wrote outside its write set: ${listSome(failure.paths)}`;
    case 'conflict':
      return `conflicts with the landed work in ${listSome(failure.paths)}`;
    case 'lease-timeout':
      return `no lease after ${Math.round(failure.waitedMs / 1000)} s; held by ${listSome(failure.holders)}`;
    case 'lost-lease':
      return `lease ${failure.token} was taken over by another process`;
    case 'no-evidence':
      return 'the agent said it was done, but changed nothing and did not declare a no-op';
    case 'deadline':
      return `the ${failure.scope}'s deadline of ${Math.round(failure.afterMs / 1000)} s has passed`;
    case 'interrupted':
      return failure.message;
    case 'cancelled':
      return `cancelled by ${failure.by}`;
  }
}

/** The part of the agent's or check's output that a next attempt needs to see. */
export function failureLog(failure: Failure): string {
  return 'tail' in failure ? failure.tail : '';
}

function listSome(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
