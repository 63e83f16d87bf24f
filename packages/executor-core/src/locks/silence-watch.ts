import type { Clock } from '../ports/clock';

/** A thing with a heartbeat. */
export interface Beating {
  /** Epoch ms of its last heartbeat; `null` when it has gone. */
  readonly lastBeat: () => Promise<number | null>;
  /** Without a heartbeat for longer than this it is silent. */
  readonly ttlMs: number;
}

/** Awake for this share of the time to live: more than one heartbeat, which comes every quarter. */
const AWAKE_SHARE = 1 / 3;
const LONGEST_GAP_MS = 1_000;

/**
 * Finds the silent among the living. When a laptop wakes up, every heartbeat is overdue; so an observer
 * accuses nobody before it has itself been awake for longer than it takes everyone else to beat. Looks
 * at all of them now and then, at suspects every time. To be asked at least once a second.
 */
export class SilenceWatch<T> {
  private suspects: ReadonlySet<T> = new Set();
  private lastLook = -Infinity;
  private nextFullLook = 0;

  /** `ttlMs` is the measure of the intervals here. */
  constructor(
    private readonly clock: Clock,
    private readonly ttlMs: number,
    private readonly beatOf: (one: T) => Beating,
  ) {}

  async find(living: readonly T[]): Promise<readonly T[]> {
    const { ttlMs } = this;
    const now = this.clock.now();
    const gap = now - this.lastLook;
    if (gap > Math.max(ttlMs / 4, LONGEST_GAP_MS) || gap < 0) {
      this.suspects = new Set();
      this.nextFullLook = now + ttlMs * AWAKE_SHARE;
    }
    this.lastLook = now;
    const full = now >= this.nextFullLook;
    if (full) this.nextFullLook = now + ttlMs / 8;
    const checked = full ? living : living.filter((one) => this.suspects.has(one));
    const verdicts = await Promise.all(checked.map((one) => this.isSilent(one, now)));
    const silent = checked.filter((_, at) => verdicts[at]);
    this.suspects = new Set(silent);
    return silent;
  }

  private async isSilent(one: T, now: number): Promise<boolean> {
    const { lastBeat, ttlMs } = this.beatOf(one);
    const beat = await lastBeat();
    return beat !== null && now - beat > ttlMs;
  }
}
