import type { Rules } from './rules';

interface Lease {
  readonly index: number;
  readonly slot: number | null;
}

/** The leases of all processes, as the lock table would grant them. Tokens only grow. */
export class LeaseTable {
  private readonly leases = new Map<number, Lease>();
  private lastToken = 0;

  constructor(private readonly rules: Rules) {}

  /** The token and slot granted, or `null` while a slot or somebody else is in the way. */
  grant(
    index: number,
    slots: readonly number[],
    extra: ReadonlyMap<number, readonly string[]>,
  ): { readonly token: number; readonly slot: number | null } | null {
    const held = [...this.leases.values()];
    if (held.some((one) => one.index === index || this.rules.exclude(one.index, index, extra))) {
      return null;
    }
    const slot = slots.find((wanted) => held.every((one) => one.slot !== wanted));
    if (slots.length > 0 && slot === undefined) return null;
    this.lastToken += 1;
    this.leases.set(this.lastToken, { index, slot: slot ?? null });
    return { token: this.lastToken, slot: slot ?? null };
  }

  has(token: number): boolean {
    return this.leases.has(token);
  }

  holdsSlot(token: number): boolean {
    return (this.leases.get(token)?.slot ?? null) !== null;
  }

  releaseSlot(token: number): void {
    const lease = this.leases.get(token);
    if (lease !== undefined) this.leases.set(token, { ...lease, slot: null });
  }

  release(token: number): void {
    this.leases.delete(token);
  }

  /** All holders are dead, so everything passes on. */
  clear(): void {
    this.leases.clear();
  }

  /** Tasks that hold a lease. */
  holders(): readonly number[] {
    return [...this.leases.values()].map(({ index }) => index);
  }
}
