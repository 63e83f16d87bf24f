import type { Failure } from '../../model/failure';
import type { TaskId } from '../../model/ids';
import type { Report } from '../scheduler-bench';
import { madeUnder } from '../scheduler-bench';

/** An agent at work on an attempt, as the process sees it that started it. */
export interface Agent {
  readonly task: TaskId;
  readonly index: number;
  readonly attempt: number;
  readonly slot: number;
  readonly token: number;
  suspended: boolean;
  stop: 'interrupt' | 'kill' | null;
  verifying: boolean;
  /** It has ended; only its work is looked at still. */
  hasLeft: boolean;
  /** Barrier it waits at. */
  barrier: string | null;
  steps: number;
}

/** The report with which an attempt ends well. */
export function handIn({ task, attempt, token }: Agent): Report {
  return { type: 'task:queued', task, attempt, candidate: madeUnder(token) };
}

/** The report with which an attempt ends badly. */
export function giveUp({ task, attempt, token }: Agent, failure: Failure): Report {
  return { type: 'attempt:failed', task, attempt, failure, salvage: null, token };
}
