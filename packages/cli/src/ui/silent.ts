import type { Out } from '../terminal';
import type { Reporter } from './reporter';

/** Shows nothing of the run, only what the person must know. */
export function silent(notes: Out): Reporter {
  return {
    onEvent() {
      // Not shown.
    },
    note(text) {
      notes.write(`${text}\n`);
    },
    end() {
      // Nothing to put back.
    },
  };
}
