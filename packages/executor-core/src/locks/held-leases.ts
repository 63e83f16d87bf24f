import type { LeaseKeeper } from './lease-keeper';
import type { LeaseName, LeaseRecord } from './lease-record';
import type { ToLeader } from './leader-messages';
import type { TableHome } from './table-home';

export interface HeldLeasesDeps {
  readonly home: TableHome;
  readonly keeper: LeaseKeeper;
  /** `false` when there is no leader at the moment. */
  readonly send: (message: ToLeader) => boolean;
}

/**
 * What this process holds, and what it has given back. The leader is told and removes the file; it is
 * sure when it has said so. What it had not confirmed when the line closed, its owner removes.
 */
export class HeldLeases {
  private readonly leases = new Map<number, LeaseRecord>();
  private readonly returning = new Map<number, LeaseName>();

  constructor(private readonly deps: HeldLeasesDeps) {}

  /** Leases for which a leader is needed. */
  get size(): number {
    return this.leases.size + this.returning.size;
  }

  get(token: number): LeaseRecord | null {
    return this.leases.get(token) ?? null;
  }

  /** `true`: given back by this process, though its file may still be there. */
  isReturning(token: number): boolean {
    return this.returning.has(token);
  }

  add(lease: LeaseRecord): void {
    this.leases.set(lease.token, lease);
    this.deps.keeper.keep(lease);
  }

  giveBack({ token, task }: LeaseName): void {
    this.leases.delete(token);
    this.deps.keeper.drop(token);
    this.returning.set(token, { token, task });
    this.deps.send({ op: 'released', token });
  }

  /** The leader has removed their files. */
  confirm(tokens: readonly number[]): void {
    for (const token of tokens) this.returning.delete(token);
  }

  /** Removes the files of what no leader has confirmed, and tells the leader, if there is one. */
  async removeReturning(): Promise<void> {
    const all = [...this.returning.values()];
    await Promise.all(
      all.map(async (lease) => {
        await this.deps.home.remove(lease);
        this.returning.delete(lease.token);
        this.deps.send({ op: 'released', token: lease.token });
      }),
    );
  }

  async dropSlot(lease: LeaseRecord): Promise<boolean> {
    if (lease.slot === null) return true;
    if (!(await this.deps.home.dropSlot(lease))) return false;
    if (this.leases.has(lease.token)) this.leases.set(lease.token, { ...lease, slot: null });
    this.deps.send({ op: 'slotFree', token: lease.token });
    return true;
  }
}
