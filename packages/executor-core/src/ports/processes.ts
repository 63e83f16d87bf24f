import type { ProcessIdentity, ProcessMark } from '../model/process';

/** Which processes live. */
export interface Processes {
  /** Identity of this process. */
  self(): ProcessIdentity;
  /** Identity of a running process, or `null` when there is none with this pid. */
  identify(pid: number): ProcessIdentity | null;
  /** `false` only on proof: other boot, no such pid, or another start time. Another host counts as alive. */
  isAlive(identity: ProcessIdentity): boolean;
}

/** By what the processes of one attempt are known, however they tried to get away. */
export interface ProcessTree {
  /** First process, leader of its own group and session; it need not live. `null`: not known. */
  readonly leader: ProcessIdentity | null;
  /** What they carry in their environment; `null`: nothing that tells them from others. */
  readonly mark: ProcessMark | null;
  /** Folder that is theirs alone, absolute; `null`: they have none. */
  readonly folder: string | null;
  /** File their standard output is kept in, absolute; it comes through `outputPipe`. */
  readonly output: string | null;
}

/**
 * Signals to whole process trees. A process belongs to a tree when it is the leader, in the leader's
 * group or session, a descendant of such a one, carries the mark in its environment or in what it
 * inherited from the one who did, or, though it dropped both, still writes to the tree's output, or works in its folder as an orphan without a terminal that was
 * started after the leader. Never to this process, its ancestors, what was started before the
 * leader, or what carries another tree's mark and descends from nobody here: a person who has a shell
 * or an editor open in the folder keeps it.
 */
export interface ProcessTrees {
  /**
   * Sends `signal` and tells how many processes were found. `SIGKILL` and `SIGSTOP` freeze what is
   * found and look again until nothing new turns up, so that nothing slips away by forking. `0` only
   * looks; it may take what it knows of a process from a few seconds ago.
   */
  signalTree(tree: ProcessTree, signal: NodeJS.Signals | 0): number;
}
