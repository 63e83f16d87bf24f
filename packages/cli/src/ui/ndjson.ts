import type { Out } from '../terminal';
import type { Reporter } from './reporter';

/** The journal's events, one JSON object per line, on `events`; narration goes to `notes`. */
export function ndjson(events: Out, notes: Out): Reporter {
  return {
    onEvent(event) {
      events.write(`${JSON.stringify(event)}\n`);
    },
    note(text) {
      notes.write(`${text}\n`);
    },
    end() {
      // Nothing to put back.
    },
  };
}
