import { looksTransient } from './output-hints';

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

/** What a failure means for the retry policy. `free-retry` does not consume one of `max_retries`. */
export type RetryRule = 'retryable' | 'free-retry' | 'final';

/** The name of a failure's kind, as people and JSON see it; each class has one cure, see `CURES`. */
export type FailureClass =
  | 'transient'
  | 'try-later'
  | 'agent-failed'
  | 'crash'
  | 'timeout'
  | 'verify-failed'
  | 'lock-violation'
  | 'no-evidence'
  | 'conflict'
  | 'set-up'
  | 'lost-lease'
  | 'interrupted'
  | 'lease-timeout'
  | 'deadline'
  | 'cancelled';

/** What is done about the failures of a class. */
export interface Cure {
  readonly retry: RetryRule;
  /** A healer, where the plan has one, may mend the failed worktree before the retry. */
  readonly heal: boolean;
  /** The cure in a few words, for people. */
  readonly cure: string;
  /** What the next attempt should do about it; `null` where it can do nothing. */
  readonly advice: string | null;
}

/** The one table of classes and cures; docs/agents.md shows it. */
export const CURES: { readonly [C in FailureClass]: Cure } = {
  transient: {
    retry: 'retryable',
    heal: false,
    cure: 'back off with jitter, then try again; counts as a retry',
    advice: 'The network or a server was at fault. Do the task as if for the first time.',
  },
  'try-later': {
    retry: 'free-retry',
    heal: false,
    cure: 'back off, or wait as long as it asks (retry-after: <seconds>); costs no retry, 20 times at most',
    advice: null,
  },
  'agent-failed': {
    retry: 'retryable',
    heal: true,
    cure: 'try again with the end of its output as feedback',
    advice: 'Find out from the output below why the agent gave up, and avoid it.',
  },
  crash: {
    retry: 'retryable',
    heal: true,
    cure: 'try again with the end of its output as feedback',
    advice:
      'The agent was ended by a signal, such as SIGKILL when memory runs out. Do less at once.',
  },
  timeout: {
    retry: 'retryable',
    heal: true,
    cure: 'try again with the end of its output as feedback',
    advice: 'Go straight for the task: the time is the same again.',
  },
  'verify-failed': {
    retry: 'retryable',
    heal: true,
    cure: 'try again with the command, its exit code and its output as feedback',
    advice: 'Run the command yourself, mend what it finds, and end only when it passes.',
  },
  'lock-violation': {
    retry: 'retryable',
    heal: true,
    cure: 'try again with the list of paths: ask for room, or leave them alone',
    advice:
      'Leave these files alone, or ask for room before you write: parallel-cli locks request GLOB',
  },
  'no-evidence': {
    retry: 'retryable',
    heal: true,
    cure: 'try again, told how to declare that there is nothing to do',
    advice:
      'Change what the task asks for. If there is nothing to change, say why: parallel-cli progress --noop "REASON"',
  },
  conflict: {
    retry: 'retryable',
    heal: false,
    cure: 'try again in a fresh worktree on the new base, told the paths',
    advice: 'Start from the files as they are now; these were changed by others meanwhile.',
  },
  'set-up': {
    retry: 'retryable',
    heal: false,
    cure: 'try again in a fresh worktree',
    advice: null,
  },
  'lost-lease': {
    retry: 'free-retry',
    heal: false,
    cure: 'try again under a new lease; costs no retry',
    advice: null,
  },
  interrupted: {
    retry: 'free-retry',
    heal: false,
    cure: 'go on when the run goes on; costs no retry',
    advice: null,
  },
  'lease-timeout': { retry: 'final', heal: false, cure: 'none: the task has failed', advice: null },
  deadline: { retry: 'final', heal: false, cure: 'none: the task has failed', advice: null },
  cancelled: { retry: 'final', heal: false, cure: 'none: somebody wanted it so', advice: null },
};

/** The class of a failure. Pure: the same failure is of the same class on every machine. */
export function failureClass(failure: Failure): FailureClass {
  switch (failure.kind) {
    case 'agent-exit':
      return looksTransient(failure.tail) ? 'transient' : 'agent-failed';
    case 'agent-error':
      return looksTransient(failure.message) ? 'transient' : 'agent-failed';
    case 'setup-failed':
      return looksTransient(failure.tail) ? 'transient' : 'set-up';
    case 'agent-signal':
      return 'crash';
    case 'try-later':
    case 'timeout':
    case 'verify-failed':
    case 'lock-violation':
    case 'no-evidence':
    case 'conflict':
    case 'lost-lease':
    case 'interrupted':
    case 'lease-timeout':
    case 'deadline':
    case 'cancelled':
      return failure.kind;
  }
}

/** How the retry policy treats a failure; `final` is never tried again. */
export function classifyFailure(failure: Failure): RetryRule {
  return CURES[failureClass(failure)].retry;
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
