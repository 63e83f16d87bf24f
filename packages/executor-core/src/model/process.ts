/**
 * Identity of a process that survives pid reuse: a pid alone proves nothing after a restart.
 * `startTime` is opaque (Linux: clock ticks since boot); `bootId` changes with every boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly host: string;
}
