import { randomBytes } from 'node:crypto';
import type { ProcessIdentity } from '../model/process';
import type { Clock } from '../ports/clock';
import type { Ask } from './ask';
import { leaseFrom, type LeaseName, type LeaseRecord } from './lease-record';
import type { FromLeader, Granted, ToLeader } from './leader-messages';
import { PendingRequest, type AcquireOptions, type LeaseRequest } from './lease-request';

export interface LeaseRequestsDeps {
  readonly clock: Clock;
  readonly self: ProcessIdentity;
  readonly ttlMs: number;
  /** `false` when there is no leader at the moment; `resend` follows then. */
  readonly send: (message: ToLeader) => boolean;
  /** A lease that is ours from now on. */
  readonly onGranted: (lease: LeaseRecord) => void;
  /** A lease nobody wants any more. */
  readonly onUnwanted: (lease: LeaseName) => void;
  /** A wait that ended while no leader could be told. */
  readonly onForgotten: (wait: Pick<Ask, 'ticket' | 'task'>) => void;
}

export type WidenAnswer =
  { readonly granted: true } | { readonly granted: false; readonly holders: readonly string[] };

/** A leader that does not answer within this time may be stopped; its caller goes on without it. */
const ANSWER_PATIENCE_MS = 250;
/** Who has no time to wait still gets one answer, if it comes within this time. */
const FIRST_ANSWER_PATIENCE_MS = 5_000;

/** The requests of this process: says them to every leader until there is an answer. */
export class LeaseRequests {
  private readonly pending = new Map<string, PendingRequest>();
  private readonly calls = new Map<string, Call>();
  private readonly name = randomBytes(12).toString('base64url');
  private count = 0;

  constructor(private readonly deps: LeaseRequestsDeps) {}

  get size(): number {
    return this.pending.size + this.calls.size;
  }

  submit(request: LeaseRequest, options: AcquireOptions): PendingRequest {
    const { clock } = this.deps;
    const pending = new PendingRequest(this.nextName(), request, clock.now(), options);
    this.pending.set(pending.id, pending);
    this.ask(pending);
    pending.listen({
      settled: () => this.pending.delete(pending.id),
      end: (reason) => {
        this.end(pending, reason);
      },
    });
    if (pending.hurried) pending.startClock(clock);
    return pending;
  }

  /**
   * To be called about every tenth of a second while there are any: most are answered before a timer
   * of their own is worth its while.
   */
  tick(): void {
    for (const pending of this.pending.values()) pending.startClock(this.deps.clock);
  }

  /** Asks for more write room; resolves with `null` when the lease is not in the table. */
  widen(token: number, writes: readonly string[]): Promise<WidenAnswer | null> {
    return new Promise((resolve, reject) => {
      const request = this.nextName();
      const message: ToLeader = { op: 'widen', request, token, writes };
      this.calls.set(request, { message, resolve, reject });
      this.deps.send(message);
    });
  }

  /** There is a new leader, who may know nothing of us. */
  resend(): void {
    for (const pending of this.pending.values()) {
      this.ask(pending);
      if (pending.ended === 'aborted' || (pending.ended !== null && pending.heard)) {
        this.withdraw(pending);
      }
    }
    for (const { message } of this.calls.values()) this.deps.send(message);
  }

  hear(message: FromLeader): void {
    const pending = message.op === 'gone' ? undefined : this.pending.get(message.request);
    switch (message.op) {
      case 'granted':
        this.granted(pending, message);
        return;
      case 'gone':
        return;
      case 'waiting':
        if (pending === undefined) return;
        pending.heard = true;
        pending.ticket = message.ticket;
        pending.waitFor(message.holders);
        if (pending.ended !== null) this.withdraw(pending);
        return;
      case 'withdrawn':
        pending?.refuse(pending.ended ?? 'aborted');
        return;
      case 'widened': {
        const { holders } = message;
        const answer = holders?.length === 0 ? { granted: true as const } : null;
        const refused = holders === null ? null : { granted: false as const, holders };
        this.calls.get(message.request)?.resolve(answer ?? refused);
        this.calls.delete(message.request);
        return;
      }
      case 'failed':
        pending?.fail(new Error(message.message));
        this.failCall(message.request, new Error(message.message));
    }
  }

  /** No leader can be had: the requests fail with the reason. */
  fail(error: unknown): void {
    for (const pending of [...this.pending.values()]) pending.fail(error);
    for (const request of [...this.calls.keys()]) this.failCall(request, error);
  }

  /** Ends every request as aborted; resolves when they are answered. */
  async stop(): Promise<void> {
    const all = [...this.pending.values()];
    for (const pending of all) this.end(pending, 'aborted');
    await Promise.allSettled(all.map(({ answer }) => answer));
    this.fail(new Error('The lease store was closed.'));
  }

  private ask(pending: PendingRequest): void {
    const hurry = pending.hurried || pending.ended !== null;
    this.deps.send({ op: 'acquire', ask: askOf(pending), hurry });
  }

  private granted(pending: PendingRequest | undefined, granted: Granted): void {
    // Out of time, but here it is: a grant in hand is better than none. Aborted means unwanted.
    if (pending === undefined || pending.ended === 'aborted') {
      this.deps.onUnwanted(granted);
      pending?.refuse('aborted');
      return;
    }
    const { self: owner, ttlMs } = this.deps;
    const { token, slot, task } = granted;
    this.deps.onGranted(leaseFrom({ ...askOf(pending), owner, ttlMs }, granted));
    pending.grant({ token, slot, task });
  }

  private end(pending: PendingRequest, reason: 'timeout' | 'aborted'): void {
    if (pending.settled || pending.ended === 'aborted') return;
    pending.ended = reason;
    if (reason === 'aborted' || pending.heard) this.withdraw(pending);
    else this.refuseAfter(pending, FIRST_ANSWER_PATIENCE_MS);
  }

  private withdraw(pending: PendingRequest): void {
    this.refuseAfter(pending, ANSWER_PATIENCE_MS);
    if (this.deps.send({ op: 'withdraw', request: pending.id })) return;
    if (pending.ended === 'aborted') this.forget(pending);
  }

  private refuseAfter(pending: PendingRequest, ms: number): void {
    pending.onSettled(
      this.deps.clock.after(ms, () => {
        this.forget(pending);
      }),
    );
  }

  /** Whatever a leader still says of it, it is over. */
  private forget(pending: PendingRequest): void {
    if (pending.ticket !== 0) this.deps.onForgotten(askOf(pending));
    pending.refuse(pending.ended ?? 'aborted');
  }

  private failCall(request: string, error: unknown): void {
    this.calls.get(request)?.reject(error);
    this.calls.delete(request);
  }

  /** Unique over all processes. */
  private nextName(): string {
    this.count += 1;
    return `${this.name}-${this.count}`;
  }
}

function askOf({ id, ticket, request, requestedAt }: PendingRequest): Ask {
  const { run, task, access, resources, policy, priority, slots } = request;
  return {
    ticket,
    request: id,
    run,
    task,
    priority,
    slots,
    access,
    resources,
    policy,
    requestedAt,
  };
}

interface Call {
  readonly message: ToLeader;
  readonly resolve: (answer: WidenAnswer | null) => void;
  readonly reject: (error: unknown) => void;
}
