import type { Access, Resource } from './access';
import type { TaskId } from './ids';

/** How overlapping writers are treated. `wait` (no policy given): they never run at the same time. */
export type ConflictPolicy = 'wait' | 'auto_merge' | 'manual' | 'priority' | 'theirs-if-newer';

/**
 * What an attempt that changed nothing means: `accept`, the work is done as a declared no-op; `refuse`,
 * it is a failure unless the agent itself declares the no-op.
 */
export type NoopPolicy = 'accept' | 'refuse';

/**
 * What the attempt after an interrupted one starts from: `fresh`, the base alone; `wip`, the work as it
 * lay in the worktree; `session`, that work and the agent's own session, where its adapter can.
 */
export type ResumeMode = 'wip' | 'session' | 'fresh';

/** One node of the plan after validation. JSON-safe: it is stored in `runs/<run>/plan.json`. */
export interface Task {
  readonly id: TaskId;
  /** Position in the plan, 0-based: the tie-break of every ordering. */
  readonly index: number;
  /** Agent profile that does the work; `null` makes the task a milestone: it orders, and does nothing. */
  readonly profile: string | null;
  readonly prompt: string | null;
  /** Nx project the task belongs to. */
  readonly project: string | null;
  /** 0..100; CRITICAL is 90 and more, HIGH 70 to 89. */
  readonly priority: number;
  readonly phase: string | null;
  readonly dependsOn: readonly TaskId[];
  readonly access: Access;
  /** `false` when the plan gives no `writes`, so that `access.writes` is everything. */
  readonly writesDeclared: boolean;
  readonly resources: readonly Resource[];
  readonly team: string | null;
  readonly taskType: string | null;
  /** Shell commands run in the agent's worktree before its result becomes a candidate. */
  readonly verify: readonly string[];
  readonly timeoutMs: number;
  /** Longest time in ms from the first start to the landing, over all attempts; `null`: no limit. */
  readonly deadlineMs: number | null;
  readonly noop: NoopPolicy;
  readonly env: Readonly<Record<string, string>>;
  /** Slot this task prefers, 1-based: plan order, round robin over the slots. */
  readonly homeSlot: number;
}

/** A named way to run an agent. `command` is a shell line, or an argv started without a shell. */
export interface AgentProfile {
  readonly name: string;
  readonly adapter: string;
  readonly command: string | readonly string[] | null;
  readonly model: string | null;
  readonly instructions: string | null;
  readonly maxParallel: number | null;
  /** For the tasks that do not say themselves; `null`: by the adapter's nature. */
  readonly noop: NoopPolicy | null;
  readonly resume: ResumeMode;
  /** For this profile alone; absent: as the run's settings say. */
  readonly sandbox?: SandboxMode;
  readonly env: Readonly<Record<string, string>>;
}

export type Backoff = 'exponential' | 'fixed' | 'none';
export type FailureStrategy = 'continue_on_failure' | 'fail_fast' | 'retry_failed';
export type MergeStrategy = 'recursive' | 'ours' | 'theirs';
/** `auto`: where the system can; `required`: or nothing starts; `off`: the check of the result alone. */
export type SandboxMode = 'auto' | 'required' | 'off';
/** What holds an agent to its write set while it works; the result is checked in any case. */
export type HeldBy = 'bubblewrap' | 'audit';
/** `auto`: where the checks look at affected projects only; `on`: always; `off`: never. */
export type LaneMode = 'auto' | 'on' | 'off';
export type LandMode = 'target' | 'branch' | 'pr' | 'none';
/** How landed work looks on the target: a commit per task, one for the run, or a merge commit per task. */
export type CommitsMode = 'linear' | 'squash' | 'merge';
/** What one pull request holds: the whole run, tasks that are linked with each other, or one task. */
export type PullRequests = 'run' | 'lane' | 'task';

/** Who is named by the commits that land, and whether they are signed. The committer is always the user. */
export interface CommitSettings {
  /** `user`; `agent`, the profile that did the work; or `Name <mail>`. */
  readonly author: string;
  /** `auto`: as the user's `commit.gpgSign` says. */
  readonly sign: 'auto' | 'always' | 'never';
}
/**
 * How an agent's worktree comes to its files: `full`, git writes all of them; `sparse`, only those its task names;
 * `overlay`, all of them are shown from one checkout that nobody writes to. `auto`: what suits the repository.
 */
export type WorktreeChoice = 'auto' | 'sparse' | 'overlay' | 'full';

export interface RetryPolicy {
  readonly maxRetries: number;
  readonly backoff: Backoff;
  /** First delay in ms; `exponential` doubles it per retry, with full jitter. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How a fresh worktree is made ready. Paths are repository-relative; `run` are shell commands. */
export interface WorktreeSetup {
  /** Copied; the file system shares the bytes where it can. */
  readonly copy: readonly string[];
  readonly link: readonly string[];
  /** Files get a second name: who writes into one in a worktree changes that of the main checkout. */
  readonly hardlink?: readonly string[];
  readonly run: readonly string[];
  /** Folders that a sparse worktree has besides those its task names; absent: the plan does not say. */
  readonly sparse?: readonly string[];
  /** TCP ports that each attempt has for itself, 0 to 1000; absent: the plan does not say. */
  readonly ports?: number;
  /** The plan does not say: what cannot be brought is left out, and no attempt fails for it. */
  readonly byDefault?: true;
}

/** Which rungs of the conflict ladder are tried beside a clean merge and the policy. */
export interface ConflictRules {
  /** Resolutions the user's `git rerere` recorded, where it is enabled. */
  readonly rerere: boolean;
  /** Rules by kind of file. */
  readonly structural: boolean;
  /** Globs of files whose added lines are kept from both sides; absent: changelogs. */
  readonly union?: readonly string[];
  /** A merge tool that knows the language, where one is installed. */
  readonly entity: boolean;
  /** Profile that settles what the rules and the policy leave open; absent: none. */
  readonly resolver?: string;
  /** How often it may try one conflict; absent: once. */
  readonly attempts?: number;
}

/** Everything in the plan that is not a task or a profile. Durations are milliseconds. */
export interface Settings {
  readonly maxAgents: number;
  /** How far `maxAgents` may be raised while it runs, where the plan allows more than usual. */
  readonly mostAgents?: number;
  readonly worktreeBase: string;
  /** Absent: `auto`. */
  readonly worktrees?: WorktreeChoice;
  readonly lockTimeoutMs: number;
  readonly barrierTimeoutMs: number;
  readonly retry: RetryPolicy;
  readonly mergeStrategy: MergeStrategy;
  /** Options of git's merge, as after `-X`; absent: none. */
  readonly mergeOptions?: readonly string[];
  /** Absent: `linear`. */
  readonly commits?: CommitsMode;
  /** Absent: by the user, signed as the user signs. */
  readonly commit?: CommitSettings;
  /** With `land: pr`; absent: `run`. */
  readonly pullRequests?: PullRequests;
  readonly checkpoint: 'phase' | 'task' | number;
  readonly failureStrategy: FailureStrategy;
  readonly timeoutMs: number;
  /** Longest time of the whole run in ms; `null`: no limit. */
  readonly deadlineMs: number | null;
  /** Profile that diagnoses and mends a failed attempt's worktree before the retry; `null`: none. */
  readonly healer: string | null;
  readonly land: LandMode;
  readonly setup: WorktreeSetup;
  /** Shell commands that must pass on the merged tree before it lands. */
  readonly verify: readonly string[];
  /** The plan does not say what is checked: in an Nx workspace the affected projects are. */
  readonly verifyByDefault?: true;
  /** Merged trees checked at once, each in a worktree of its own; absent: as the machine allows. */
  readonly verifySlots?: number;
  /** Whether every commit that lands is checked, not only the last of those that land together; absent: no. */
  readonly verifyEach?: boolean;
  /** Whether changes that touch no common project are checked and land apart; absent: `auto`. */
  readonly lanes?: LaneMode;
  readonly budget: { readonly usd: number | null; readonly tokens: number | null };
  readonly conflictPolicy: ConflictPolicy;
  /** How often in ms running work is looked at for coming conflicts, or never; absent: every 30 s. */
  readonly forecast?: number | 'off';
  /** Absent: every rung. */
  readonly conflicts?: ConflictRules;
  /** Environment variables whose values are secret though their names do not tell. */
  readonly secrets?: readonly string[];
  /** How agents are kept to their write sets while they work; absent: `off`. */
  readonly sandbox?: SandboxMode;
  /** `team_based` and `task_type_based` limits: name to the most that may run at once. */
  readonly limits: {
    readonly team: Readonly<Record<string, number>>;
    readonly taskType: Readonly<Record<string, number>>;
  };
}

/** A valid plan: ids unique, every reference resolved, the dependency edges acyclic. */
export interface Plan {
  readonly version: 1;
  /** Repository-relative path of the plan file; `null` for a plan made by the API. */
  readonly file: string | null;
  readonly settings: Settings;
  readonly agents: readonly AgentProfile[];
  readonly phases: readonly string[];
  readonly tasks: readonly Task[];
}

/** Names of the profiles that a run of the plan may start, whether or not they are defined. */
export function profilesInUse({ settings, tasks }: Plan): ReadonlySet<string> {
  const { healer, conflicts } = settings;
  const names = [healer, conflicts?.resolver, ...tasks.map(({ profile }) => profile)];
  return new Set(names.filter((name) => typeof name === 'string'));
}

/** Scheduling classes of the specification: 0 CRITICAL (90 and more), 1 HIGH (70 to 89), 2 the rest. */
export function priorityClass(priority: number): 0 | 1 | 2 {
  if (priority >= 90) return 0;
  return priority >= 70 ? 1 : 2;
}
