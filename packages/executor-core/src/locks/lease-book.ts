import { conflictsWith } from './compatibility';
import { recordName, type LeaseRecord } from './lease-record';
import { widened, type StoredTable, type TableFiles } from './table-files';

/** The leases the leader knows, and their files. A lease is on disk before it is in the book. */
export class LeaseBook {
  private readonly leases = new Map<number, LeaseRecord>();
  private readonly byRequest = new Map<string, LeaseRecord>();
  private wides: StoredTable['wides'];

  constructor(
    private readonly files: TableFiles,
    stored: StoredTable,
  ) {
    this.wides = stored.wides;
    for (const lease of stored.leases) this.set(lease);
  }

  all(): readonly LeaseRecord[] {
    return [...this.leases.values()];
  }

  get(token: number): LeaseRecord | null {
    return this.leases.get(token) ?? null;
  }

  /** What a request was given before. */
  givenTo(request: string): LeaseRecord | null {
    return this.byRequest.get(request) ?? null;
  }

  add(lease: LeaseRecord): void {
    this.files.add(lease);
    this.set(lease);
  }

  /** Its owner gives it back; the file goes in this turn, see `TableFiles.spare`. */
  giveBack(lease: LeaseRecord): void {
    this.files.spare(lease);
    this.unset(lease);
  }

  /** The lease's file has gone. */
  drop(token: number): void {
    const lease = this.leases.get(token);
    if (lease === undefined) return;
    this.files.forget(lease);
    this.unset(lease);
  }

  /** The lease's file says already that it has no slot. */
  dropSlot(token: number): void {
    const lease = this.leases.get(token);
    if (lease !== undefined) this.set({ ...lease, slot: null });
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
    this.set(widened(lease, [wide]));
  }

  private unset({ token, request }: LeaseRecord): void {
    this.leases.delete(token);
    this.byRequest.delete(request);
    if (this.wides.length === 0) return;
    for (const one of this.wides) if (one.token === token) this.files.remove(one);
    this.wides = this.wides.filter((one) => one.token !== token);
  }

  private set(lease: LeaseRecord): void {
    this.leases.set(lease.token, lease);
    this.byRequest.set(lease.request, lease);
  }
}
