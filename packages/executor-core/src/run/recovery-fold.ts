import type { ControlRequest } from '../model/control-request';
import type { Fact, RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import { evolve } from '../schedule/evolve';
import type { PackedState } from '../schedule/packed-state';
import { packState, unpackState } from '../schedule/packed-state';
import type { Problem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { initialState } from '../schedule/run-state';

/** All that a recovery needs to know of a journal: a fold over its events, in file order. */
export interface RecoveryFold {
  readonly state: RunState;
  /** Of each task's latest attempt: where it worked, and the first process of its agent. */
  readonly traces: ReadonlyMap<TaskId, Trace>;
  /** What was asked while nobody drove the run: requests at the end, which nobody can have acted on. */
  readonly requests: readonly Fact[];
}

export interface Trace {
  readonly folder: string | null;
  readonly leader: ProcessIdentity | null;
}

/** A fold as plain data that survives JSON. */
export interface PackedFold {
  readonly state: PackedState;
  readonly traces: readonly (readonly [TaskId, Trace])[];
  readonly requests: readonly Fact[];
}

/** Written by agents, waiters and who resolves a conflict, whether or not somebody drives the run. */
const FROM_ELSEWHERE: ReadonlySet<RunEvent['type']> = new Set([
  'task:progress',
  'barrier:waiting',
  'barrier:left',
  'task:resolved',
]);
/** Pauses died with whom they were asked of. */
const WORTH_KEEPING: ReadonlySet<ControlRequest['kind']> = new Set(['agents', 'retry', 'kill']);

/** The fold over no event. */
export function emptyFold(problem: Problem): RecoveryFold {
  return { state: initialState(problem), traces: new Map(), requests: [] };
}

/** The fold goes on over `events`; `before` stays as it is. */
export function foldOn(before: RecoveryFold, events: readonly RunEvent[]): RecoveryFold {
  let { state, requests } = before;
  const traces = new Map(before.traces);
  for (const event of events) {
    state = evolve(state, event);
    requests = requestsAfter(requests, event);
    if (event.type === 'task:started')
      traces.set(event.task, { folder: event.worktree, leader: null });
    if (event.type === 'process:started') {
      const folder = traces.get(event.task)?.folder ?? null;
      traces.set(event.task, { folder, leader: event.process });
    }
  }
  return { state, traces, requests };
}

/** The fold as plain data. */
export function packFold({ state, traces, requests }: RecoveryFold): PackedFold {
  return { state: packState(state), traces: [...traces], requests };
}

/** The fold again; `null` when the data is of another version or another plan. */
export function unpackFold(problem: Problem, packed: PackedFold): RecoveryFold | null {
  const state = unpackState(problem, packed.state);
  if (state === null) return null;
  return { state, traces: new Map(packed.traces), requests: packed.requests };
}

function requestsAfter(requests: readonly Fact[], event: RunEvent): readonly Fact[] {
  if (FROM_ELSEWHERE.has(event.type)) return requests;
  if (event.type !== 'control:requested') return requests.length === 0 ? requests : [];
  return WORTH_KEEPING.has(event.request.kind) ? [...requests, event] : requests;
}
