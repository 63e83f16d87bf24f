import type { Run, RunEvent, RunReader, RunView } from '@parallel-executor/core';
import { emptyView, RunFold } from '@parallel-executor/core';

/**
 * Feeds a run's past and its live events into one view, each event once. Events that arrive while
 * the past is read are held back and shown after it; those that the past has already are not counted again.
 */
export class LiveFold {
  readonly #fold: RunFold;
  readonly #onEvent: (event: RunEvent, live: LiveFold) => void;
  #held: RunEvent[] | null = null;
  /** Events of the past that may yet be told. */
  #counted = new Set<string>();

  constructor(
    { plan, durations }: Pick<Run, 'plan' | 'durations'>,
    onEvent: (event: RunEvent, live: LiveFold) => void,
  ) {
    this.#fold = new RunFold(emptyView(plan, durations.estimate));
    this.#onEvent = onEvent;
  }

  get view(): RunView {
    return this.#fold.view;
  }

  take(event: RunEvent): void {
    if (this.#held !== null) {
      this.#held.push(event);
      return;
    }
    if (!this.#counted.delete(keyOf(event))) this.#fold.apply(event);
    this.#onEvent(event, this);
  }

  /** Folds the past without showing it, then shows what came meanwhile. */
  async catchUp(reader: Pick<RunReader, 'events'> | null): Promise<void> {
    if (reader === null) return;
    this.#held = [];
    const past = await reader.events();
    for (const event of past) this.#fold.apply(event);
    // The last of them may be told only after this: an event is told once the disk has it.
    this.#counted = new Set(past.map(keyOf));
    const held = this.#held;
    this.#held = null;
    for (const event of held) this.take(event);
  }
}

function keyOf(event: RunEvent): string {
  return `${event.at} ${event.type} ${'task' in event ? event.task : ''}`;
}
