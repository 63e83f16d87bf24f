import type { WorktreePool } from '../isolate/worktree-pool';
import type { LeaseStore } from '../locks/lease-store';
import type { Candidate, Fact } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { Redactor } from '../model/redactor';
import type { ResolvedPath } from '../model/resolved-path';
import type { AgentProfile, HeldBy, Task, WorktreeSetup } from '../model/task';
import type { AgentAdapter } from '../ports/agent';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';
import type { Git } from '../ports/git';
import type { ProcessRunner, RunningProcess } from '../ports/process-runner';
import type { Sandbox } from '../ports/sandbox';
import type { PortRange, TcpPorts } from '../ports/tcp-ports';
import type { AttemptStory } from '../report/attempt-story';
import type { Command } from '../schedule/command';
import type { RunPaths } from '../store/run-dir';
import type { Checkpoints } from './checkpoints';
import type { ConflictWatch } from './conflict-watch';
import type { DiskGuard } from './disk-guard';
import type { StartingPoint } from './feedback';
import type { Resolver } from './resolver';
import type { WorktreeWays } from './worktree-ways';

/** What attempts of one run share. */
export interface AttemptContext extends WorktreeWays {
  readonly run: RunId;
  /** Root of the checkout the run was started in. */
  readonly root: string;
  readonly redactor: Redactor;
  /** Variables the plan lists as secret. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly files: FileTree;
  readonly git: Git;
  readonly runner: ProcessRunner;
  readonly sandbox: Sandbox;
  readonly tcpPorts: TcpPorts;
  /** What holds the agents of a profile to their write sets while they work. */
  readonly heldBy: (profile: AgentProfile) => Promise<HeldBy>;
  readonly pool: WorktreePool;
  readonly checkpoints: Pick<Checkpoints, 'watch'>;
  readonly conflictWatch: Pick<ConflictWatch, 'watch'>;
  readonly leases: LeaseStore;
  readonly paths: RunPaths;
  readonly emit: (fact: Fact) => Promise<void>;
  readonly taskOf: (id: TaskId) => Task;
  readonly profileOf: (task: Task) => AgentProfile;
  readonly adapterOf: (profile: AgentProfile) => AgentAdapter;
  /** The failed attempts of a task so far, oldest first: what the next one must know about. */
  readonly history: (task: TaskId) => Promise<readonly AttemptStory[]>;
  /** Whether the run would try the task again if its attempt failed like this now. */
  readonly mayRetry: (task: TaskId, failure: Failure) => boolean;
  readonly maxRetries: number;
  /** Resolves when no agent is about to be started, see `startsOf`. */
  readonly startsFirst: () => Promise<void>;
  /** Mends the worktree of a failed attempt; `null`: the plan has none. */
  readonly healer: AgentProfile | null;
  /** Has a healer wait while as many are at work as its profile allows. */
  readonly healing: <T>(work: () => Promise<T>) => Promise<T>;
  /** Settles what the conflict ladder leaves open; `null`: nobody, or a person does. */
  readonly resolver: Resolver | null;
  /** Time a program has between SIGINT and SIGTERM, and again before SIGKILL. */
  readonly graceMs: number;
  /** Commit every new attempt starts from: it contains all that has landed. */
  readonly integrationTip: () => Promise<string>;
  readonly setup: WorktreeSetup;
  readonly setUp: (
    worktree: string,
    env: Readonly<Record<string, string>>,
    logPath: string,
    onProcess: (process: RunningProcess) => void,
  ) => Promise<Failure | null>;
  readonly checkEnvironment: (
    base: string,
    ports: PortRange | null,
  ) => Readonly<Record<string, string>>;
  /** Environment this process was started with; agents get a scrubbed copy. */
  readonly baseEnv: Readonly<Record<string, string | undefined>>;
  /** Does what the disk refuses again when it takes files again, see `DiskGuard`. */
  readonly insist: DiskGuard['insist'];
  readonly saveBundle: (scene: AttemptScene, candidate: Candidate) => Promise<void>;
}

export type StartCommand = Extract<Command, { type: 'start' }>;

/** One attempt at work in its worktree. */
export interface AttemptScene {
  readonly task: Task;
  readonly profile: AgentProfile;
  readonly command: StartCommand;
  readonly base: string;
  readonly worktree: string;
  /** Short name of the branch the agent was given. */
  readonly branch: string;
  /** Failed attempts before this one, oldest first. */
  readonly stories: readonly AttemptStory[];
  readonly start: StartingPoint;
  /** How conflicts were settled while its work was made; absent where none was. */
  readonly resolved?: readonly ResolvedPath[];
  /** The ports it has for itself; absent: none. */
  readonly ports?: PortRange;
}
