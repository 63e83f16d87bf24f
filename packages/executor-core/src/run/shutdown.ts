import type { AgentSession } from '../ports/agent';
import type { Clock } from '../ports/clock';

/** Time between SIGINT and SIGTERM, and again between SIGTERM and SIGKILL. */
const GRACE_MS = 2000;

/** Stops a session step by step. */
export interface GentleStop {
  /** `interrupt`: SIGINT, grace, SIGTERM, grace, SIGKILL. `kill`: SIGKILL at once. */
  stop(how: 'interrupt' | 'kill'): void;
  /** The session has ended: no further signal is sent, except a last SIGKILL to what it left behind. */
  done(): void;
}

export function stopGently(clock: Clock, session: AgentSession): GentleStop {
  let cancel = (): void => undefined;
  let stopped = false;
  return {
    stop(how) {
      cancel();
      stopped = true;
      if (how === 'kill') {
        session.stop('kill');
        return;
      }
      session.stop('interrupt');
      cancel = clock.after(GRACE_MS, () => {
        session.stop('terminate');
        cancel = clock.after(GRACE_MS, () => {
          session.stop('kill');
        });
      });
    },
    done() {
      cancel();
      // The leader is gone, members of its group may not be.
      if (stopped) session.stop('kill');
    },
  };
}
