import type { Fact } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { Task } from '../model/task';
import type { Clock } from '../ports/clock';
import type { LeaseRequest, LeaseStore } from '../locks/lease-store';
import type { Command } from '../schedule/command';
import type { AttemptRunner } from './attempt';
import type { DiskGuard } from './disk-guard';
import type { Lander } from './lander';

/** How long a lease is asked for before the attempt is given up: a day, because waiting is no failure. */
const LEASE_PATIENCE_MS = 24 * 60 * 60 * 1000;

/** What commands are performed with. */
export interface ActivityDeps {
  readonly clock: Clock;
  readonly leases: LeaseStore;
  readonly attempts: AttemptRunner;
  readonly lander: Pick<Lander, 'request' | 'halt' | 'idle'>;
  readonly run: RunId;
  readonly taskOf: (id: TaskId) => Task;
  readonly conflictPolicy: Parameters<LeaseStore['acquire']>[0]['policy'];
  readonly emit: (fact: Fact) => Promise<void>;
  /** Does what the disk refuses again when it takes files again, see `DiskGuard`. */
  readonly insist: DiskGuard['insist'];
}

/** Turns commands into work: leases, attempts, landings, timers. */
export class Activity {
  private readonly asking = new Map<TaskId, AbortController>();
  private readonly tokens = new Map<TaskId, number>();
  private readonly timers = new Map<TaskId, () => void>();
  /** By task; `null` is the run. */
  private readonly deadlines = new Map<TaskId | null, () => void>();
  private readonly work = new Set<Promise<unknown>>();
  private readonly freeing = new Set<Promise<unknown>>();

  constructor(private readonly deps: ActivityDeps) {}

  /** Performs one command; long work reports back through facts. */
  perform(command: Exclude<Command, { type: 'record' }>): void {
    const { attempts, lander } = this.deps;
    switch (command.type) {
      case 'acquire':
        this.ask(command);
        return;
      case 'withdraw':
        this.asking.get(command.task)?.abort();
        return;
      case 'start':
        track(this.work, attempts.start(command));
        return;
      case 'pass':
        track(this.work, this.pass(command.task));
        return;
      case 'land':
        lander.request();
        return;
      case 'halt':
        lander.halt();
        return;
      case 'free':
        track(this.freeing, this.free(command));
        return;
      case 'wake':
        this.wake(command);
        return;
      case 'stop':
        attempts.stop(command.task, command.how);
        return;
      case 'suspend':
        attempts.suspend(command.task);
        return;
      case 'continue':
        attempts.continue(command.task);
        return;
      case 'deadline':
        this.watchDeadline(command);
        return;
    }
  }

  /** Takes over a lease that is held already, e.g. after a restart, so that `free` gives it back. */
  adopt(task: TaskId, token: number): void {
    this.tokens.set(task, token);
  }

  /**
   * Ends everything at once, because the run cannot go on here. `agents`: ours are still at work; whoever
   * goes on with the same run has ended them, and its own have their names.
   */
  async abandon({ agents }: { readonly agents: boolean }): Promise<void> {
    if (agents) this.deps.attempts.killAll();
    this.deps.lander.halt();
    await this.settle();
  }

  /** Ends timers and requests, and waits until every attempt, landing and release is over. */
  async settle(): Promise<void> {
    for (const cancel of [...this.timers.values(), ...this.deadlines.values()]) cancel();
    for (const request of this.asking.values()) request.abort();
    do {
      await Promise.allSettled([...this.work, ...this.freeing]);
      await this.deps.lander.idle();
    } while (this.work.size + this.freeing.size > 0);
    for (const token of this.tokens.values()) await this.deps.leases.release(token);
  }

  private ask(command: Extract<Command, { type: 'acquire' }>): void {
    const abort = new AbortController();
    // From now on it can be withdrawn, also before what this turn gives back is there for it.
    this.asking.set(command.task, abort);
    const freed = Promise.all(this.freeing);
    track(
      this.work,
      freed.then(() => this.acquire(command, abort)),
    );
  }

  private async acquire(
    command: Extract<Command, { type: 'acquire' }>,
    abort: AbortController,
  ): Promise<void> {
    const { leases, emit, clock, insist } = this.deps;
    const task = this.deps.taskOf(command.task);
    const request = this.requestFor(task, command.slots);
    const asked = insist(() =>
      leases.acquire(request, {
        signal: abort.signal,
        timeoutMs: LEASE_PATIENCE_MS,
        onWaiting: (holders) =>
          void emit({ type: 'task:waiting', task: task.id, holders, at: clock.now() }),
      }),
    );
    const answer = await asked.catch((error: unknown) => messageOf(error));
    if (this.asking.get(task.id) === abort) this.asking.delete(task.id);
    if (typeof answer === 'string') {
      // Without this the task would wait for ever for a lease nobody asks for.
      await this.giveUp(command, { kind: 'agent-error', message: `no lease: ${answer}` });
      return;
    }
    if (!answer.granted) {
      const { reason, holders } = answer;
      const waitedMs = LEASE_PATIENCE_MS;
      if (reason === 'timeout')
        await this.giveUp(command, { kind: 'lease-timeout', waitedMs, holders });
      return;
    }
    const { token, slot } = answer.lease;
    if (abort.signal.aborted || slot === null) {
      await leases.release(token);
      return;
    }
    this.tokens.set(task.id, token);
    await emit({ type: 'task:leased', task: task.id, slot, token, at: clock.now() });
  }

  private requestFor(task: Task, slots: readonly number[]): LeaseRequest {
    const { id, access, resources, priority } = task;
    const { run, conflictPolicy: policy } = this.deps;
    return { run, task: id, access, resources, policy, priority, slots };
  }

  private giveUp(
    { task, attempt }: Extract<Command, { type: 'acquire' }>,
    failure: Failure,
  ): Promise<void> {
    const at = this.deps.clock.now();
    return this.deps.emit({ type: 'attempt:failed', task, attempt, failure, salvage: null, at });
  }

  private pass(task: TaskId): Promise<void> {
    const at = this.deps.clock.now();
    return this.deps.emit({ type: 'task:landed', task, commit: null, tree: null, at });
  }

  private async free(command: Extract<Command, { type: 'free' }>): Promise<void> {
    const { task, what } = command;
    const token = command.token ?? this.tokens.get(task);
    if (token === undefined) return;
    if (what === 'slot') {
      await this.deps.leases.releaseSlot(token);
      return;
    }
    if (this.tokens.get(task) === token) this.tokens.delete(task);
    await this.deps.leases.release(token);
  }

  private wake({ task, afterMs }: Extract<Command, { type: 'wake' }>): void {
    const { clock, emit } = this.deps;
    this.timers.get(task)?.();
    const cancel = clock.after(afterMs, () => {
      this.timers.delete(task);
      void emit({ type: 'timer:due', task, at: clock.now() });
    });
    this.timers.set(task, cancel);
  }

  /** A later command about the same task, or about the run, replaces the earlier one. */
  private watchDeadline({ task, at }: Extract<Command, { type: 'deadline' }>): void {
    const { clock, emit } = this.deps;
    this.deadlines.get(task)?.();
    const cancel = clock.after(Math.max(0, at - clock.now()), () => {
      this.deadlines.delete(task);
      const now = clock.now();
      void emit(
        task === null ? { type: 'run:overdue', at: now } : { type: 'task:overdue', task, at: now },
      );
    });
    this.deadlines.set(task, cancel);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function track(group: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  group.add(promise);
  void promise.finally(() => group.delete(promise)).catch(() => undefined);
}
