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

/** What the processes of one attempt carry in their environment, and nobody else's do. */
export interface ProcessMark {
  readonly run: string;
  readonly task: string;
}

/** The mark in an environment; `null` where it names no run or no task. */
export function markOf(env: Readonly<Record<string, string | undefined>>): ProcessMark | null {
  const { PARALLEL_RUN_ID: run, PARALLEL_TASK_ID: task } = env;
  return run === undefined || task === undefined ? null : { run, task };
}

/** The pipe through which the output of a program comes that is kept in the file `outputPath`. */
export function outputPipe(outputPath: string): string {
  return `${outputPath}.pipe`;
}
