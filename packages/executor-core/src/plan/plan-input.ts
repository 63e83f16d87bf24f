import type { AgentProfile, NoopPolicy, ResumeMode } from '../model/task';

/** A duration: text as in the plan file (`30s`), or a number of milliseconds. */
export type DurationInput = string | number;

export interface ResourceInput {
  readonly id: string;
  readonly exclusive?: boolean;
  /** How much of a counted resource it takes. Default 1. */
  readonly amount?: number;
}

/**
 * A task for the API: `{ id: 'landing', agent: 'ui-super', priority: 'HIGH' }`. The keys are those of
 * the plan file, in snake_case or camelCase; a key given in both spellings is an error.
 */
export interface TaskInput {
  readonly id: string;
  readonly agent?: string | undefined;
  readonly prompt?: string | undefined;
  readonly project?: string | undefined;
  /** `CRITICAL`, `HIGH`, `NORMAL`, `LOW` or 0..100. */
  readonly priority?: string | number | undefined;
  readonly phase?: string | undefined;
  readonly depends_on?: readonly string[] | undefined;
  readonly dependsOn?: readonly string[] | undefined;
  readonly reads?: readonly string[] | undefined;
  readonly writes?: readonly string[] | undefined;
  readonly required_resources?: readonly ResourceInput[] | undefined;
  readonly requiredResources?: readonly ResourceInput[] | undefined;
  readonly team?: string | undefined;
  readonly task_type?: string | undefined;
  readonly taskType?: string | undefined;
  readonly verify?: readonly string[] | undefined;
  readonly timeout?: DurationInput | undefined;
  readonly deadline?: DurationInput | undefined;
  readonly noop?: NoopPolicy | undefined;
  readonly env?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export interface AgentInput {
  readonly adapter?: string | undefined;
  readonly command?: string | readonly string[] | undefined;
  readonly model?: string | undefined;
  readonly instructions?: string | undefined;
  readonly max_parallel?: number | undefined;
  readonly maxParallel?: number | undefined;
  readonly noop?: NoopPolicy | undefined;
  /** What an attempt starts from when the one before was interrupted. Default `fresh`. */
  readonly resume?: ResumeMode | undefined;
  readonly sandbox?: string | undefined;
  readonly env?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The sections of the plan file for the API; those of `parallel_executor` stand at the top. */
export interface PlanConfig {
  readonly agents?: readonly AgentProfile[] | Readonly<Record<string, AgentInput>> | undefined;
  readonly phases?: readonly string[] | undefined;
  readonly locks?:
    | {
        readonly read?: Readonly<Record<string, readonly string[]>>;
        readonly write?: Readonly<Record<string, readonly string[]>>;
        readonly conflictResolution?: string;
        readonly conflict_resolution?: string;
      }
    | undefined;
  readonly resourceStrategies?:
    | {
        readonly teamBased?: Readonly<Record<string, { readonly maxParallel: number }>>;
        readonly taskTypeBased?: Readonly<Record<string, { readonly maxParallel: number }>>;
        /** Counted resources: how much of each there is. */
        readonly resources?: Readonly<Record<string, { readonly maxParallel: number }>>;
      }
    | undefined;
  readonly maxAgents?: number | undefined;
  readonly allowMoreAgents?: boolean | undefined;
  readonly worktreeBase?: string | undefined;
  /** `auto`, `sparse`, `overlay` or `full`. */
  readonly worktrees?: string | undefined;
  readonly lockTimeout?: DurationInput | undefined;
  readonly barrierTimeout?: DurationInput | undefined;
  readonly retryPolicy?:
    | {
        readonly maxRetries?: number;
        readonly backoff?: string;
        readonly baseDelay?: DurationInput;
        readonly maxDelay?: DurationInput;
      }
    | undefined;
  readonly mergeStrategy?: string | undefined;
  readonly mergeOptions?: readonly string[] | undefined;
  readonly checkpointInterval?: DurationInput | undefined;
  /** `off`, or how often running work is looked at for coming conflicts. */
  readonly forecast?: DurationInput | undefined;
  readonly failureStrategy?: string | undefined;
  readonly timeout?: DurationInput | undefined;
  readonly deadline?: DurationInput | undefined;
  /** Name of an agent, or a command. */
  readonly healer?: string | { readonly command: string | readonly string[] } | undefined;
  readonly defaultAgent?: string | undefined;
  readonly land?: string | undefined;
  readonly pullRequests?: string | undefined;
  readonly commits?: string | undefined;
  readonly commit?: { readonly author?: string; readonly sign?: string } | undefined;
  readonly setup?:
    | {
        readonly copy?: readonly string[];
        readonly reflink?: readonly string[];
        readonly hardlink?: readonly string[];
        readonly link?: readonly string[];
        readonly run?: readonly string[];
        readonly sparse?: readonly string[];
        readonly ports?: number;
      }
    | undefined;
  readonly verify?: readonly string[] | undefined;
  readonly verifySlots?: number | undefined;
  readonly verifyEach?: boolean | undefined;
  readonly lanes?: string | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly sandbox?: string | undefined;
  readonly conflicts?:
    | {
        readonly rerere?: string;
        readonly structural?: boolean;
        readonly union?: readonly string[];
        readonly entity?: string;
        readonly resolver?: string;
        readonly attempts?: number;
      }
    | undefined;
  readonly budget?: { readonly usd?: number; readonly tokens?: number } | undefined;
}
