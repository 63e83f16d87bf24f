import type { RunEvent, RunView } from '@parallel-executor/core';

/** Shows a run while it goes on. `view` is the view after the event. */
export interface Reporter {
  onEvent(event: RunEvent, view: RunView): void;
  /** A line of narration that stays. */
  note(text: string): void;
  /** No more events; leaves the terminal as it found it. */
  end(view: RunView): void;
}
