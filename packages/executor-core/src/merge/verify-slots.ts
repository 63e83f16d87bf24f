import type { Failure } from '../model/failure';
import type { Lane } from './lane';
import type { VerifyTree } from './remember-verdicts';
import type { Layer } from './stack';

/** A tree that is verified. */
export interface Verification {
  readonly lane: Lane;
  readonly layer: Layer;
  /** Commit that is green and below it. */
  readonly base: string;
  /** It was red before, alone on what has landed: is it again? Its lane goes on without it meanwhile. */
  readonly confirms: boolean;
}

export interface Verified extends Verification {
  readonly verdict: Failure | null;
}

interface Running {
  readonly verification: Verification;
  readonly slot: number;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Verifies several trees at once, one per slot. */
export class VerifySlots {
  private running: readonly Running[] = [];
  private readonly done: (() => Verified)[] = [];
  private wake: () => void = () => undefined;

  /** `signal` stops everything that is being verified. */
  constructor(
    private readonly count: number,
    private readonly verify: VerifyTree,
    private readonly signal?: AbortSignal,
  ) {}

  get hasFree(): boolean {
    return this.running.length < this.count;
  }

  /** Nothing is being verified, and no verdict waits for `next`. */
  get isEmpty(): boolean {
    return this.running.length === 0 && this.done.length === 0;
  }

  /** There must be a free slot. */
  start(verification: Verification): void {
    const used = new Set(this.running.map(({ slot }) => slot));
    let slot = 1;
    while (used.has(slot)) slot += 1;
    const stop = new AbortController();
    const running = {
      verification,
      slot,
      stop,
      ended: this.judge(verification, slot, stop.signal).then((answer) => {
        this.running = this.running.filter((other) => other !== running);
        this.done.push(answer);
        this.wake();
      }),
    };
    this.running = [...this.running, running];
  }

  /** The next verdict; `null` when `other` comes first. Throws what the verification threw. */
  async next(other: Promise<void>): Promise<Verified | null> {
    if (this.done.length === 0) {
      const verdict = new Promise<void>((resolve) => (this.wake = resolve));
      await Promise.race([verdict, other]);
    }
    return this.known();
  }

  /** A verdict that is there already. Throws like `next`. */
  known(): Verified | null {
    return this.done.shift()?.() ?? null;
  }

  /** Stops what nobody wants to know any more; it keeps its slot until it has ended. */
  stopUnwanted(): void {
    for (const { verification, stop } of this.running) {
      const { lane, layer, confirms } = verification;
      if (!confirms && !lane.wants(layer)) stop.abort();
    }
  }

  /** Stops everything and resolves when it has ended. */
  async stopAll(): Promise<void> {
    for (const { stop } of this.running) stop.abort();
    await Promise.all(this.running.map(({ ended }) => ended));
    this.done.length = 0;
  }

  private async judge(
    verification: Verification,
    slot: number,
    stop: AbortSignal,
  ): Promise<() => Verified> {
    const { layer, base, confirms } = verification;
    const signal = this.signal === undefined ? stop : AbortSignal.any([this.signal, stop]);
    const how = { slot, signal, again: confirms };
    try {
      const verdict = await this.verify(layer.commit, layer.tree, base, how);
      return () => ({ ...verification, verdict });
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }
}
