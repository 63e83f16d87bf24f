import type { EventListener } from '../run/run-loop';
import type { SchedulerBench } from './scheduler-bench';

/** The run loop as its listeners know it, over a scheduler that is driven by hand. */
export class ToldLoop {
  private readonly listeners = new Set<EventListener>();

  constructor(private readonly run: SchedulerBench) {}

  get current(): SchedulerBench['state'] {
    return this.run.state;
  }

  /** Number of those who listen. */
  get listening(): number {
    return this.listeners.size;
  }

  on(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells what is journalled while `act` is done. */
  tell(act: () => unknown): void {
    const before = this.run.journal.length;
    act();
    for (const event of this.run.journal.slice(before)) {
      for (const listener of [...this.listeners]) listener(event);
    }
  }
}
