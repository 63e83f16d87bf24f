import { conflictsWith } from './compatibility';
import { recordName, type LeaseRecord } from './lease-record';
import { widened, type StoredTable, type TableFiles } from './table-files';

/** The leases the leader knows, and their files. A lease is on disk before it is in the book. */
export class LeaseBook {
  private readonly leases = new Map<number, LeaseRecord>();
  private wides: StoredTable['wides'];

  constructor(
    private readonly files: TableFiles,
    stored: StoredTable,
  ) {
    this.wides = stored.wides;
    for (const lease of stored.leases) this.leases.set(lease.token, lease);
  }

  all(): readonly LeaseRecord[] {
    return [...this.leases.values()];
  }

  get(token: number): LeaseRecord | null {
    return this.leases.get(token) ?? null;
  }

  /** What a request was given before. */
  givenTo(request: string): LeaseRecord | null {
    return this.all().find((lease) => lease.request === request) ?? null;
  }

  add(lease: LeaseRecord): void {
    this.files.add(lease);
    this.leases.set(lease.token, lease);
  }

  /** The lease's file has gone. */
  drop(token: number): void {
    this.leases.delete(token);
    for (const one of this.wides) if (one.token === token) this.files.remove(one);
    this.wides = this.wides.filter((one) => one.token !== token);
  }

  /** The lease's file says already that it has no slot. */
  dropSlot(token: number): void {
    const lease = this.leases.get(token);
    if (lease !== undefined) this.leases.set(token, { ...lease, slot: null });
  }

  /** Forgets leases whose files were removed by their owner, or a person, without telling us. */
  compare(before: readonly LeaseRecord[], names: ReadonlySet<string>): void {
    for (const lease of before) if (!names.has(recordName(lease))) this.drop(lease.token);
  }

  /** Other leases that conflict with more writes for this one. */
  inTheWayOf(token: number, writes: readonly string[]): readonly LeaseRecord[] {
    const lease = this.leases.get(token);
    if (lease === undefined) return [];
    const demand = { access: { reads: [], writes }, resources: [], policy: lease.policy };
    return this.all().filter((other) => other.token !== token && conflictsWith(demand, other));
  }

  /** More writes for a lease, under a number of their own. */
  widen(
    lease: LeaseRecord,
    more: { readonly number: number; readonly writes: readonly string[]; readonly at: number },
  ): void {
    const { token, task } = lease;
    const wide = { wide: more.number, token, task, writes: more.writes, grantedAt: more.at };
    this.files.add(wide);
    this.wides = [...this.wides, wide];
    this.leases.set(token, widened(lease, [wide]));
  }
}
