import type { Fact } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { Git } from '../ports/git';
import type { Mutex } from '../ports/mutex';
import { FailureRate } from '../merge/failure-rate';
import type { RefGuard } from '../merge/land';
import { TakenOver } from '../merge/land';
import type { DrainContext } from '../merge/drain-context';
import { drainQueue } from '../merge/merge-queue';
import type { QueueItem } from '../merge/stack';
import type { DiskGuard } from './disk-guard';
import type { Verifier } from './verifier';

/** How long to wait for another process that verifies and lands: its checks may take hours. */
const MERGE_PATIENCE_MS = 24 * 60 * 60 * 1000;
/** How often a drain that throws (a full disk, a broken git) is tried before its candidates go back. */
const DRAIN_TRIES = 3;

/** How long after a landing the target follows: others often come right behind it. */
const PUBLISH_AFTER_MS = 100;
/** How often the target follows, at most, while more and more is landing. */
const PUBLISH_EVERY_MS = 1000;

/** A candidate that waits to land. */
export type Waiting = Omit<QueueItem, 'message'>;

export interface LanderContext extends Pick<
  DrainContext,
  'root' | 'verifyEach' | 'affected' | 'checkFences' | 'conflictPolicy' | 'style' | 'ladder'
> {
  readonly run: RunId;
  readonly git: Git;
  readonly mutex: Mutex;
  readonly clock: Clock;
  /** Lock shared by every process that lands in this checkout. */
  readonly mergeLock: string;
  readonly integrationRef: string;
  /** Candidates of all processes of the run, in landing order. */
  readonly waiting: () => Promise<readonly Waiting[]>;
  /** Checks a merged tree; `null` when the plan has no checks. */
  readonly verifier: Verifier | null;
  /** Trees checked at once. */
  readonly slots: number;
  /** Several processes land in turn: the verify worktree is given back after each. */
  readonly shared: boolean;
  /** Who may land. */
  readonly fence: RefGuard;
  /** The fence was moved: somebody else lands from now on. */
  readonly onTakenOver: (error: TakenOver) => void;
  /** Message of the commit a candidate lands as. */
  readonly messageOf: (waiting: Waiting) => string;
  /** Brings the target up to the integration tip; `false`: only by taking in what it may not take in now. */
  readonly publish: (mayAbsorb: boolean) => Promise<boolean>;
  /** Resolves, soon, when nothing more is about to be queued. */
  readonly gather: () => Promise<void>;
  /** Does what the disk refuses again when it takes files again, see `DiskGuard`. */
  readonly insist: DiskGuard['insist'];
  readonly emit: (fact: Fact) => Promise<void>;
}

/**
 * Lands what is queued, one landing at a time per checkout. Flat combining (Hendler et al., SPAA
 * 2010): whoever holds the merge lock lands everything that is queued, for every process, so
 * candidates that arrive during a verification form the next batch.
 */
export class Lander {
  private readonly halted = new AbortController();
  private lockWait = new AbortController();
  private wanted = false;
  private draining: Promise<void> | null = null;
  private knownTip: string | null = null;
  private readonly rate = new FailureRate();
  private onQueued: () => void = () => undefined;
  /** When the first of what the target does not have yet has landed; `null` when it has everything. */
  private unpublishedSince: number | null = null;
  private publishedAt = -PUBLISH_EVERY_MS;
  /** Takes back what will publish later. */
  private cancelPublish: (() => void) | null = null;

  constructor(private readonly context: LanderContext) {}

  /** Something was queued: drain soon. */
  request(): void {
    // What is queued now stays so; a drain that has nothing to do would end before it has begun.
    if (this.halted.signal.aborted) return;
    this.wanted = true;
    this.onQueued();
    this.draining ??= this.drainAll();
  }

  /** Another process has landed what this one had queued: no need to wait for the lock. */
  standDown(): void {
    this.lockWait.abort();
  }

  /** Stops landing for good; what has not landed stays queued. */
  halt(): void {
    this.halted.abort();
    this.lockWait.abort();
    this.postpone(null);
  }

  /**
   * Resolves when nothing is being landed and nothing was asked for. The target may not have the last
   * landings yet: whoever asks for nothing more publishes.
   */
  async idle(): Promise<void> {
    while (this.draining !== null) await this.draining;
    this.postpone(null);
  }

  /** Brings the target what it does not have yet of what this lander landed. To be called when it is idle. */
  async publishRest(): Promise<void> {
    if (this.unpublishedSince === null) return;
    const { insist, publish, onTakenOver } = this.context;
    this.unpublishedSince = null;
    try {
      await insist(() => publish(true));
    } catch (error) {
      if (!(error instanceof TakenOver)) throw error;
      onTakenOver(error);
    }
  }

  private async drainAll(): Promise<void> {
    let failures = 0;
    while (this.wanted && !this.halted.signal.aborted) {
      this.lockWait = new AbortController();
      await this.context.gather();
      this.wanted = false;
      try {
        // More may be wanted since: what is left may only add to that.
        const left = await this.context.insist(() => this.drainUnderLock());
        if (left > 0) this.wanted = true;
        failures = 0;
      } catch (error) {
        if (this.lockWait.signal.aborted) continue;
        if (error instanceof TakenOver) {
          this.halt();
          this.context.onTakenOver(error);
          continue;
        }
        failures += 1;
        if (failures < DRAIN_TRIES) this.wanted = true;
        else await giveBack(this.context, error);
      }
    }
    this.draining = null;
  }

  private drainUnderLock(): Promise<number> {
    const { mutex, mergeLock } = this.context;
    return mutex.with(mergeLock, () => this.drain(), MERGE_PATIENCE_MS, this.lockWait.signal);
  }

  private async drain(): Promise<number> {
    const { left, tip } = await drainOnce(this.context, {
      signal: this.halted.signal,
      knownTip: this.knownTip,
      rate: this.rate,
      queued: () => new Promise((resolve) => (this.onQueued = resolve)),
      onTurn: () => this.publishInTime(false),
      onLanded: () => {
        this.unpublishedSince ??= this.context.clock.now();
      },
    });
    this.knownTip = tip;
    await this.publishInTime(true);
    return left;
  }

  /**
   * The target is moved once for all that lands in a second: that costs more than a landing. Taking in
   * what the target has and we do not moves the branch, so that is for when nothing is being verified.
   */
  private async publishInTime(mayAbsorb: boolean): Promise<void> {
    const since = this.unpublishedSince;
    if (since === null) return;
    const { clock, publish } = this.context;
    const due = Math.max(since + PUBLISH_AFTER_MS, this.publishedAt + PUBLISH_EVERY_MS);
    const wait = due - clock.now();
    if (wait > 0) {
      if (this.cancelPublish !== null) return;
      this.postpone(
        clock.after(wait, () => {
          this.cancelPublish = null;
          this.request();
        }),
      );
      return;
    }
    this.postpone(null);
    if (await publish(mayAbsorb)) this.unpublishedSince = null;
    this.publishedAt = clock.now();
  }

  private postpone(cancel: (() => void) | null): void {
    this.cancelPublish?.();
    this.cancelPublish = cancel;
  }
}

/** git or the disk failed us, not the agents: their tasks are tried again at no cost to them. */
async function giveBack(context: LanderContext, error: unknown): Promise<void> {
  const message = `landing failed: ${error instanceof Error ? error.message : String(error)}`;
  for (const { task, attempt, candidate } of await context.waiting()) {
    const failure: Failure = { kind: 'interrupted', message };
    await context.emit({
      type: 'attempt:failed',
      task,
      attempt,
      failure,
      salvage: candidate.ref,
      token: candidate.fence,
      at: context.clock.now(),
    });
  }
}

interface Drained {
  /** Candidates that neither landed nor were rejected. */
  readonly left: number;
  readonly tip: string | null;
}

interface DrainOnce {
  readonly signal: AbortSignal;
  readonly knownTip: string | null;
  readonly rate: FailureRate;
  /** Resolves when something more is queued. */
  readonly queued: () => Promise<void>;
  /** Between two steps of the drain. */
  readonly onTurn: () => Promise<void>;
  readonly onLanded: () => void;
}

async function drainOnce(context: LanderContext, once: DrainOnce): Promise<Drained> {
  const { verifier } = context;
  const { signal, knownTip, rate, onTurn, onLanded } = once;
  const read = async (): Promise<readonly QueueItem[]> =>
    (await context.waiting()).map((item) => ({ ...item, message: context.messageOf(item) }));
  const queue = await read();
  if (queue.length === 0) return { left: 0, tip: knownTip };
  const { left, tip } = await drainQueue(context.git, {
    root: context.root,
    ref: context.integrationRef,
    queue,
    verify: verifier?.check ?? null,
    slots: context.slots,
    verifyEach: context.verifyEach,
    ...(verifier === null ? {} : { arrivals: { next: once.queued, read } }),
    affected: context.affected,
    rate,
    signal,
    knownTip,
    fence: context.fence,
    checkFences: context.checkFences,
    conflictPolicy: context.conflictPolicy,
    style: context.style,
    ladder: context.ladder,
    onTurn,
    ...tellers(context, onLanded),
  });
  if (context.shared) await verifier?.close();
  return { left: left.length, tip };
}

/** What becomes of the candidates goes into the journal. */
function tellers(
  { emit, clock }: LanderContext,
  onLanded: () => void,
): Pick<DrainContext, 'onMerging' | 'onLanded' | 'onRejected' | 'onFlake'> {
  const at = (): number => clock.now();
  return {
    onMerging: ({ task }, onto, batch) =>
      emit({ type: 'task:merging', task, onto, batch, at: at() }),
    onLanded: ({ task }, { commit, tree, resolved = [] }) => {
      onLanded();
      const how = resolved.length === 0 ? {} : { resolved };
      return emit({ type: 'task:landed', task, commit, tree, ...how, at: at() });
    },
    onFlake: ({ task, attempt }, failure) =>
      emit({ type: 'check:flaked', task, attempt, failure, at: at() }),
    onRejected: ({ task, attempt, candidate }, failure) =>
      emit({
        type: 'attempt:failed',
        task,
        attempt,
        failure,
        salvage: candidate.ref,
        token: candidate.fence,
        at: at(),
      }),
  };
}
