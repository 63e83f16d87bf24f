import type { Affected } from '../graph/affected';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { ResolvedPath } from '../model/resolved-path';
import type { ConflictPolicy } from '../model/task';
import type { FailureRate } from './failure-rate';
import type { RefGuard } from './land';
import type { LandingStyle } from './landing-style';
import type { Ladder } from './resolve-conflict';
import type { VerifyTree } from './remember-verdicts';
import type { QueueItem } from './stack';

export interface Arrivals {
  /** Resolves when something more is queued than at the time of the call. */
  readonly next: () => Promise<void>;
  /** All that waits to land, in landing order. */
  readonly read: () => Promise<readonly QueueItem[]>;
}

/** What landed as. `null`s: there was nothing to land. */
export interface Landing {
  readonly commit: string | null;
  readonly tree: string | null;
  /** How what was in conflict was settled. */
  readonly resolved?: readonly ResolvedPath[];
}

/** The callbacks are awaited: journal first, then on. One that rejects ends the drain. */
export interface DrainContext {
  readonly root: string;
  /** Full name of the integration branch; it exists. */
  readonly ref: string;
  /** In landing order: dependencies first, then priority, then arrival. */
  readonly queue: readonly QueueItem[];
  /** Judges a merged tree. `null`: the plan has no checks. */
  readonly verify: VerifyTree | null;
  /** Trees verified at once; 1 when absent. */
  readonly slots?: number;
  /** Every commit that lands is verified by itself, not only the last of a batch. */
  readonly verifyEach?: boolean | undefined;
  /** Projects whose checks a candidate can turn red; absent: nobody can tell, so there is one lane. */
  readonly affected?: ((item: QueueItem) => Promise<Affected>) | undefined;
  /** Candidates that are queued meanwhile. */
  readonly arrivals?: Arrivals;
  /** How often candidates were guilty so far. */
  readonly rate?: FailureRate;
  /** Who may land, verified by git with each move of the branch. */
  readonly fence?: RefGuard;
  /** Looks which leases hold: `true` for a fencing token that is current. Asked again right before a landing. */
  readonly checkFences: () => Promise<(fence: number) => boolean>;
  readonly conflictPolicy: ConflictPolicy;
  /** The rungs of the conflict ladder above a clean merge; without them none is tried. */
  readonly ladder?: Ladder | undefined;
  /** How the plan wants changes merged and committed. */
  readonly style?: LandingStyle | undefined;
  /** Once per item, before it is verified or rejected. `batch`: candidates verified together. */
  readonly onMerging: (item: QueueItem, onto: string, batch: number) => Promise<void>;
  /** After the ref moved; also for a candidate an earlier process landed. */
  readonly onLanded: (item: QueueItem, landing: Landing) => Promise<void>;
  readonly onRejected: (item: QueueItem, failure: Failure) => Promise<void>;
  /** A candidate that was red alone with `failure`, and then green: the check is flaky. */
  readonly onFlake?: (item: QueueItem, failure: Failure) => Promise<void>;
  /** Between two steps; the branch may move only by what this drain lands. */
  readonly onTurn?: () => Promise<void>;
  /** Ends the drain between two steps; what has not landed stays in the queue. */
  readonly signal?: AbortSignal;
  /**
   * `DrainResult.tip` of the caller's last drain. While the branch has not moved since, nothing in the
   * queue can be on it: a candidate is queued in the journal before anybody lands it.
   */
  readonly knownTip?: string | null;
}

export interface DrainResult {
  /** Tip of the integration branch at the end; `null` when nothing made it look. */
  readonly tip: string | null;
  readonly landed: readonly TaskId[];
  readonly rejected: readonly TaskId[];
  /** Neither landed nor rejected: the drain was stopped, or the ref did not hold still. */
  readonly left: readonly QueueItem[];
}
