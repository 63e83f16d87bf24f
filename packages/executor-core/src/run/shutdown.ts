import type { AgentSession } from '../ports/agent';
import type { Clock } from '../ports/clock';

/** Stops a session step by step. */
export interface GentleStop {
  /** `interrupt`: SIGINT, grace, SIGTERM, grace, SIGKILL. `kill`: SIGKILL at once. */
  stop(how: 'interrupt' | 'kill'): void;
  /** The session has ended: no further signal is sent, except a last SIGKILL to what it left behind. */
  done(): void;
}

/** `graceMs`: time between SIGINT and SIGTERM, and again between SIGTERM and SIGKILL. */
export function stopGently(
  clock: Clock,
  session: Pick<AgentSession, 'stop'>,
  graceMs: number,
): GentleStop {
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
      cancel = clock.after(graceMs, () => {
        session.stop('terminate');
        cancel = clock.after(graceMs, () => {
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
