import type { Run, RunEvent, RunReader, RunView } from '@parallel-executor/core';
import { emptyView, RunFold } from '@parallel-executor/core';

/**
 * Feeds a run's past and its live events into one view, each event once: events that arrive while
 * the past is read are held back, and dropped when the past has them already.
 */
export class LiveFold {
  readonly #fold: RunFold;
  readonly #onEvent: (event: RunEvent, live: LiveFold) => void;
  #held: RunEvent[] | null = null;

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
    this.#fold.apply(event);
    this.#onEvent(event, this);
  }

  /** Folds the past without showing it, then what came meanwhile. */
  async catchUp(reader: Pick<RunReader, 'events'> | null): Promise<void> {
    if (reader === null) return;
    this.#held = [];
    const past = await reader.events();
    const known = new Set(past.map(keyOf));
    for (const event of past) this.#fold.apply(event);
    const held = this.#held;
    this.#held = null;
    for (const event of held) if (!known.has(keyOf(event))) this.take(event);
  }
}

function keyOf(event: RunEvent): string {
  return `${event.at} ${event.type} ${'task' in event ? event.task : ''}`;
}
