import type { TaskState } from '../model/task-state';
import { Chunked } from './chunked';
import { IndexSet } from './index-set';
import type { Problem } from './problem';
import type { RunState } from './run-state';
import { isReady } from './run-state';

/** Version of the packed shape; another one is of no use. */
const PACKED_VERSION = 2;

/** What `RunState` holds beyond its problem, as plain data that survives JSON. */
export type PackedState = PlainPart & { readonly packed: typeof PACKED_VERSION } & {
  readonly [K in IndexSetKey]: readonly number[];
} & { readonly [K in ChunkedKey]: RunState[K] extends Chunked<infer T> ? readonly T[] : never } & {
  readonly extraWrites: readonly (readonly [number, readonly string[]])[];
};

type IndexSetKey = 'holding' | 'atWork' | 'waiting';
type ChunkedKey = 'tasks' | 'unmet' | 'spent' | 'free' | 'tokens' | 'asks' | 'firstStarts';

/** The state as plain data. The problem is left out: it comes from the plan. */
export function packState(state: RunState): PackedState {
  return {
    ...plainPart(state),
    packed: PACKED_VERSION,
    tasks: state.tasks.toArray(),
    unmet: state.unmet.toArray(),
    spent: state.spent.toArray(),
    free: state.free.toArray(),
    tokens: state.tokens.toArray(),
    asks: state.asks.toArray(),
    firstStarts: state.firstStarts.toArray(),
    holding: state.holding.toArray(),
    atWork: state.atWork.toArray(),
    waiting: state.waiting.toArray(),
    extraWrites: [...state.extraWrites],
  };
}

/**
 * The state again, under a problem made of the same plan; its order of preference may be another by
 * now. `null` when the data is of another version or another plan.
 */
export function unpackState(problem: Problem, packed: PackedState): RunState | null {
  const count = problem.plan.tasks.length;
  const version: unknown = packed.packed;
  if (version !== PACKED_VERSION || packed.tasks.length !== count) return null;
  const state: RunState = {
    ...plainPart(packed),
    problem,
    ready: IndexSet.of(count),
    tasks: Chunked.from<TaskState>(packed.tasks),
    unmet: Chunked.from(packed.unmet),
    spent: Chunked.from(packed.spent),
    free: Chunked.from(packed.free),
    tokens: Chunked.from(packed.tokens),
    asks: Chunked.from(packed.asks),
    firstStarts: Chunked.from(packed.firstStarts),
    holding: IndexSet.of(count, packed.holding),
    atWork: IndexSet.of(count, packed.atWork),
    waiting: IndexSet.of(count, packed.waiting),
    extraWrites: new Map(packed.extraWrites),
  };
  const ready = problem.order.flatMap((index, rank) => (isReady(state, index) ? [rank] : []));
  return { ...state, ready: IndexSet.of(count, ready) };
}

type PlainPart = Omit<RunState, 'problem' | 'ready' | 'extraWrites' | ChunkedKey | IndexSetKey>;

/** What is the same in both. */
function plainPart(state: PlainPart): PlainPart {
  return {
    started: state.started,
    startedAt: state.startedAt,
    mode: state.mode,
    suspended: state.suspended,
    outcome: state.outcome,
    failedFast: state.failedFast,
    maxAgents: state.maxAgents,
    settled: state.settled,
    openPhase: state.openPhase,
    phaseLeft: state.phaseLeft,
    phaseDead: state.phaseDead,
    broken: state.broken,
    waiters: state.waiters,
    lastProfiles: state.lastProfiles,
    asked: state.asked,
  };
}
