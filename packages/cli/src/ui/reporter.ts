import type { RunEvent, RunView } from '@parallel-executor/core';

/** Shows a run while it goes on. `live.view` is the view after the latest event, made when it is read. */
export interface Reporter {
  onEvent(event: RunEvent, live: { readonly view: RunView }): void;
  /** A line of narration that stays. */
  note(text: string): void;
  /** No more events; leaves the terminal as it found it. */
  end(view: RunView): void;
}
