import { type RunId, slotName, type TaskId } from '../model/ids';
import type { PortRange } from '../ports/tcp-ports';

type Variables = Readonly<Record<string, string>>;
/** The shape of `process.env`. */
type OutsideVariables = Readonly<Record<string, string | undefined>>;

/** What an agent is told through its environment. Paths are absolute. */
export interface AgentEnvironmentInput {
  /** Environment to start from, usually `process.env`. */
  readonly base: OutsideVariables;
  readonly run: RunId;
  readonly task: TaskId;
  readonly slot: number;
  /** 1-based. */
  readonly attempt: number;
  readonly baseCommit: string;
  readonly promptFile: string;
  /** Why the last attempt failed; `null` on the first. */
  readonly feedbackFile: string | null;
  /** Where the agent may declare that nothing is to be done. */
  readonly noopFile: string;
  /** Where the agent may tell what its work has cost. */
  readonly costFile: string;
  /** Ref that keeps the work of the last attempt; `null` when there is none. */
  readonly lastWork: string | null;
  /** Commit of the interrupted work that is in the worktree; `null` when there is none. */
  readonly resumedFrom: string | null;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** The main checkout, with the run's `.parallel/` in it. */
  readonly stateRoot: string;
  /** `null`: it has none of its own. */
  readonly ports: PortRange | null;
  readonly profileEnv: Variables;
  readonly taskEnv: Variables;
}

/**
 * Left out of what is handed on: Nx's and git's own variables would point the tools at the main
 * checkout, another run's would name the wrong task.
 */
const SCRUBBED = /^(?:NX|GIT|PARALLEL)_/i;
/** They name the folder the executor was started in, and tools believe them over their real one. */
const STALE_FOLDERS = new Set(['PWD', 'OLDPWD', 'INIT_CWD']);

/**
 * The whole environment of an agent process. Later ones win: what was outside, `NX_DAEMON=false`, the
 * profile's, the task's, ours. Globs are separated by newlines.
 */
export function agentEnvironment(input: AgentEnvironmentInput): Record<string, string> {
  return {
    ...scrub(input.base),
    ...input.profileEnv,
    ...input.taskEnv,
    PARALLEL_RUN_ID: input.run,
    PARALLEL_TASK_ID: input.task,
    PARALLEL_AGENT_ID: slotName(input.slot),
    PARALLEL_ATTEMPT: String(input.attempt),
    PARALLEL_BASE: input.baseCommit,
    PARALLEL_PROMPT_FILE: input.promptFile,
    ...(input.feedbackFile === null ? {} : { PARALLEL_FEEDBACK_FILE: input.feedbackFile }),
    PARALLEL_NOOP_FILE: input.noopFile,
    PARALLEL_COST_FILE: input.costFile,
    ...(input.lastWork === null ? {} : { PARALLEL_LAST_WORK: input.lastWork }),
    ...(input.resumedFrom === null ? {} : { PARALLEL_RESUMED_FROM: input.resumedFrom }),
    PARALLEL_READS: input.reads.join('\n'),
    PARALLEL_WRITES: input.writes.join('\n'),
    PARALLEL_ROOT: input.stateRoot,
    ...portVariables(input.ports),
  };
}

/**
 * The whole environment of a verify command. `baseCommit` is what the change is measured against, as in
 * `nx affected --base=$PARALLEL_BASE`.
 */
export function checkEnvironment(
  base: OutsideVariables,
  baseCommit: string,
  ports: PortRange | null = null,
): Record<string, string> {
  return { ...scrub(base), PARALLEL_BASE: baseCommit, ...portVariables(ports) };
}

function portVariables(ports: PortRange | null): Variables {
  if (ports === null) return {};
  return { PARALLEL_PORT_BASE: String(ports.base), PARALLEL_PORT_COUNT: String(ports.count) };
}

/**
 * An Nx daemon per worktree would outlive it. Nothing else is said to Nx: it keeps its project graph in the worktree
 * by itself, and from 23 on build results in one place for all worktrees of a repository. Told where to keep the
 * graph (NX_WORKSPACE_DATA_DIRECTORY), it would no longer share those: 3 of 3 hits become none.
 */
function scrub(base: OutsideVariables): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value === undefined || SCRUBBED.test(name) || STALE_FOLDERS.has(name)) continue;
    kept[name] = value;
  }
  return { ...kept, NX_DAEMON: 'false' };
}
