import type { Fact, RunEvent, RunOutcome } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Clock } from '../ports/clock';
import type { Journal } from '../ports/journal';
import type { Command } from '../schedule/command';
import { decide } from '../schedule/decide';
import type { RunState } from '../schedule/run-state';
import type { DiskGuard } from './disk-guard';

/** Performs one command. Must not throw and must not wait: long work reports back through `emit`. */
export type Performer = (command: Exclude<Command, { type: 'record' }>) => void;

export type EventListener = (event: RunEvent) => void;

interface PendingFact {
  readonly fact: Fact;
  /** `true` when another process has journalled it already. */
  readonly foreign: boolean;
  readonly settle: () => void;
}

/**
 * The one loop: takes facts in order, lets `decide` conclude, journals facts and decisions, and only
 * then performs the commands. Facts that arrive while the journal syncs are handled as one batch,
 * so they share one fdatasync.
 */
export class RunLoop {
  private readonly pending: PendingFact[] = [];
  private readonly listeners = new Set<EventListener>();
  private pumping = false;
  private finish: (outcome: RunOutcome) => void = () => undefined;
  private crash: (error: unknown) => void = () => undefined;
  /** Resolves when the scheduler says the run is over; rejects when the journal fails. */
  readonly finished: Promise<RunOutcome>;

  constructor(
    private state: RunState,
    private readonly deps: {
      readonly journal: Journal;
      readonly clock: Clock;
      readonly guard: DiskGuard;
      /** Takes secrets out, before anybody sees the fact. */
      readonly clean?: (fact: Fact) => Fact;
    },
    private readonly perform: Performer,
    /** Events of a part of a run that are not true of the whole: told here, not journalled. */
    private readonly isPrivate: (event: RunEvent) => boolean = () => false,
  ) {
    this.finished = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.crash = reject;
    });
    // Whoever waits for the run sees the rejection; a run nobody waits for must not end the process.
    this.finished.catch(() => undefined);
  }

  get current(): RunState {
    return this.state;
  }

  /** Calls `listener` with every event after it was journalled; its errors are kept from the run. */
  on(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when the fact is in the journal and decided upon. */
  emit(fact: Fact): Promise<void> {
    return this.enqueue(this.deps.clean?.(fact) ?? fact, false);
  }

  /** Tells the listeners alone what cannot be journalled now. */
  announce(event: RunEvent): void {
    this.tell(event);
  }

  /** Nothing is decided here any more: `finished` rejects with the reason. */
  readonly fail = (reason: unknown): void => {
    this.crash(reason);
  };

  /** Takes in a fact another process wrote to the journal. */
  takeIn(fact: Fact): void {
    void this.enqueue(fact, true);
  }

  private enqueue(fact: Fact, foreign: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.pending.push({ fact, foreign, settle: resolve });
      if (!this.pumping) void this.pump();
    });
  }

  private async pump(): Promise<void> {
    this.pumping = true;
    // What is reported in one turn is journalled as one: all of it, or nothing.
    await Promise.resolve();
    try {
      while (this.pending.length > 0) await this.handleBatch(this.pending.splice(0));
    } catch (error) {
      // What could not be journalled did not happen: nobody may wait for it any longer.
      for (const { settle } of this.pending.splice(0)) settle();
      this.crash(error);
    } finally {
      this.pumping = false;
    }
  }

  private async handleBatch(batch: readonly PendingFact[]): Promise<void> {
    const { guard } = this.deps;
    await guard.clear();
    const toJournal: RunEvent[] = [];
    const all: RunEvent[] = [];
    const commands: Exclude<Command, { type: 'record' }>[] = [];
    for (const { fact, foreign } of batch) {
      const [next, concluded] = decide(this.state, fact);
      this.state = next;
      const recorded = concluded.flatMap((command) =>
        command.type === 'record' ? [command.event] : [],
      );
      if (!foreign) toJournal.push(fact);
      toJournal.push(...recorded.filter((event) => !this.isPrivate(event)));
      all.push(fact, ...recorded);
      for (const command of concluded) if (command.type !== 'record') commands.push(command);
    }
    try {
      if (toJournal.length > 0) await guard.insist(() => this.journal(toJournal));
    } catch (error) {
      for (const { settle } of batch) settle();
      throw error;
    }
    for (const event of all) this.tell(event);
    for (const command of commands) this.perform(command);
    for (const { settle } of batch) settle();
    const { outcome } = this.state;
    if (outcome !== null && this.pending.length === 0) this.finish(outcome);
  }

  private journal(events: RunEvent[]): Promise<void> {
    // What happened to the disk comes first, and with what comes next: nobody acts on it.
    events.unshift(...this.deps.guard.takeEvents());
    return this.deps.journal.append(events);
  }

  private tell(event: RunEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch {
        // A listener is a view; it cannot break the run it looks at.
      }
    }
  }
}

/** `true` for events of the run that name a task. */
export function namesTask(event: RunEvent): event is Extract<RunEvent, { readonly task: TaskId }> {
  return 'task' in event;
}
