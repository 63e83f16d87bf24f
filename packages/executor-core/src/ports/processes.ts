import type { ProcessIdentity } from '../model/process';

/** Which processes live. */
export interface Processes {
  /** Identity of this process. */
  self(): ProcessIdentity;
  /** Identity of a running process, or `null` when there is none with this pid. */
  identify(pid: number): ProcessIdentity | null;
  /** `false` only on proof: other boot, no such pid, or another start time. Another host counts as alive. */
  isAlive(identity: ProcessIdentity): boolean;
  /** Sends `signal` to the whole group of the process; `false` when it is gone. */
  signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): boolean;
}
