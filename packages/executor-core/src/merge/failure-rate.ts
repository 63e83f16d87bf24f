import type { SearchLimits } from './prefix-search';

/** What is assumed before anything was verified: agents have checked their own work already. */
const AT_FIRST = 0.02;
/** Weight of the newest outcome. */
const LEARNING = 0.1;
/** From here on one candidate at a time is best. */
const ONE_BY_ONE = 0.3;
/** Where a batch is green with this chance, verifying parts of it beside it is wasted. */
const SURE = 0.8;

/** How a stack is looked at. */
export interface Looking {
  readonly size: number;
  /** Trees verified at once. */
  readonly slots: number;
  /** A prefix is red, and the culprit not known yet. */
  readonly isRed: boolean;
  /** `none`: there are no checks; `each`: every commit is to pass them. */
  readonly verify: 'none' | 'batch' | 'each';
}

/**
 * How often candidates turn a green tree red, as an exponentially weighted average over the last
 * outcomes, and what follows from it for the size of a batch.
 */
export class FailureRate {
  private rate = AT_FIRST;

  /** Between 0 and 1. */
  get current(): number {
    return this.rate;
  }

  /** A candidate landed, or was found guilty of a red tree. */
  note(guilty: boolean): void {
    this.rate += LEARNING * ((guilty ? 1 : 0) - this.rate);
  }

  /** Limits for the stack as it is now. */
  limitsFor({ size, slots, isRed, verify }: Looking): SearchLimits {
    if (verify === 'each') return { batch: size, width: slots, each: true };
    return verify === 'none' || isRed ? { batch: size, width: slots } : this.limits(size, slots);
  }

  /**
   * Limits for a stack of `size` candidates while `slots` verifications may run at once. A batch is
   * twice as long as what is green with a chance of one half, since its first half lands in any case.
   */
  limits(size: number, slots: number): SearchLimits {
    const { rate } = this;
    if (rate > ONE_BY_ONE) return { batch: slots, width: slots };
    const even = rate <= 0 ? Infinity : Math.ceil(Math.log(0.5) / Math.log(1 - rate));
    const batch = Math.max(slots, 2 * even);
    const chance = (1 - rate) ** Math.min(size, batch);
    return { batch, width: chance >= SURE ? 1 : slots };
  }
}
