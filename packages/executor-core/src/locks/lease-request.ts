import type { RunId, TaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { Demand } from './compatibility';

/** What a task asks for, all at once. */
export interface LeaseRequest extends Demand {
  readonly run: RunId;
  readonly task: TaskId;
  /** 0..100, see `Task.priority`. */
  readonly priority: number;
  /** Slots it would take, in order of preference, 1-based; empty: it needs none. */
  readonly slots: readonly number[];
}

export interface AcquireOptions {
  readonly signal?: AbortSignal;
  /** From the call. 0: granted at once or not at all. */
  readonly timeoutMs: number;
  /** Called with those in the way (see `describeBlocker`) when it has to wait, and when they change. */
  readonly onWaiting?: (holders: readonly string[]) => void;
}

/** A granted lease, as its holder knows it. */
export interface Lease {
  readonly token: number;
  /** `null` when none was asked for. */
  readonly slot: number | null;
  readonly task: TaskId;
}

export type LeaseAnswer =
  | { readonly granted: true; readonly lease: Lease }
  | {
      readonly granted: false;
      readonly reason: 'timeout' | 'aborted';
      readonly holders: readonly string[];
    };

/** The leader tells for whom somebody waits every tenth of a second. */
const HURRY_BELOW_MS = 1_000;
const LATEST_START_MS = 1_000;

interface RequestEvents {
  /** It has an answer. */
  readonly settled: () => void;
  /** The caller's time or interest is at an end. */
  readonly end: (reason: 'timeout' | 'aborted') => void;
}

/** One request of this process on its way to an answer. */
export class PendingRequest {
  /** Its place in the queue; 0 before a leader gave it one. */
  ticket = 0;
  /** The leader has answered at least once. */
  heard = false;
  settled = false;
  /** It is to end: out of time, or nobody wants it any more. */
  ended: 'timeout' | 'aborted' | null = null;
  holders: readonly string[] = [];
  readonly answer: Promise<LeaseAnswer>;
  private resolve: (answer: LeaseAnswer) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private readonly cleanUps: (() => void)[] = [];
  private events: RequestEvents | null = null;
  private timed = false;

  constructor(
    /** Its name, unique over all processes. */
    readonly id: string,
    readonly request: LeaseRequest,
    /** Epoch ms. */
    readonly requestedAt: number,
    private readonly options: AcquireOptions,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Starts to listen to the caller's signal; see `startClock` for the caller's time. */
  listen(events: RequestEvents): void {
    const { signal } = this.options;
    this.events = events;
    if (signal === undefined) return;
    const onAbort = (): void => {
      events.end('aborted');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.onSettled(() => {
      signal.removeEventListener('abort', onAbort);
    });
    if (signal.aborted) onAbort();
  }

  /** From now on a timer watches the caller's time; to be called early enough. */
  startClock(clock: Clock): void {
    if (this.timed || this.settled) return;
    this.timed = true;
    // Wall-clock time may jump; what has passed is little in any case.
    const passed = Math.min(LATEST_START_MS, Math.max(0, clock.now() - this.requestedAt));
    this.onSettled(
      clock.after(Math.max(0, this.options.timeoutMs - passed), () => {
        this.events?.end('timeout');
      }),
    );
  }

  /** Too little time to be told only after a while for whom it waits. */
  get hurried(): boolean {
    return this.options.timeoutMs < HURRY_BELOW_MS;
  }

  onSettled(cleanUp: () => void): void {
    this.cleanUps.push(cleanUp);
  }

  waitFor(holders: readonly string[]): void {
    const same =
      holders.length === this.holders.length &&
      holders.every((name, at) => name === this.holders[at]);
    if (same) return;
    this.holders = holders;
    this.options.onWaiting?.(holders);
  }

  grant(lease: Lease): void {
    this.settle(() => {
      this.resolve({ granted: true, lease });
    });
  }

  refuse(reason: 'timeout' | 'aborted'): void {
    this.settle(() => {
      this.resolve({ granted: false, reason, holders: this.holders });
    });
  }

  fail(error: unknown): void {
    this.settle(() => {
      this.reject(error);
    });
  }

  private settle(tell: () => void): void {
    if (this.settled) return;
    this.settled = true;
    for (const cleanUp of this.cleanUps) cleanUp();
    this.cleanUps.length = 0;
    this.events?.settled();
    tell();
  }
}
