import type { ProcessIdentity } from '../model/process';
import type { AgentProfile, Task } from '../model/task';

/** One attempt, as the agent sees it. */
export interface AgentInvocation {
  readonly task: Task;
  readonly profile: AgentProfile;
  readonly attempt: number;
  /** The agent's worktree: its working directory. */
  readonly worktree: string;
  readonly prompt: string;
  /** Why the last attempt failed, or `null` on the first. */
  readonly feedback: string | null;
  /** The whole environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives everything the agent prints. */
  readonly transcriptPath: string;
  /** Gives the command line that runs another one in the attempt's sandbox; absent: there is none. */
  readonly confine?: (argv: readonly string[]) => readonly string[];
  /** Per cent done (0..100, `null` unknown) and what it is doing now. */
  readonly onProgress: (percent: number | null, note: string) => void;
}

/** How an agent ended. Exit 0 is `done`, 75 is `try-later`. */
export type AgentOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'try-later' }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'error'; readonly message: string };

export interface AgentSession {
  /** `null` for an agent that is no process of its own (a function). */
  readonly process: ProcessIdentity | null;
  /** Never rejects. */
  readonly ended: Promise<AgentOutcome>;
  /** `interrupt`: please end; `terminate`: end; `kill`: now. Reaches the whole process group. */
  stop(how: 'interrupt' | 'terminate' | 'kill'): void;
  /** Freezes it where it is, until `resume` or the next `stop`. A function cannot be frozen: it goes on. */
  suspend(): void;
  resume(): void;
}

/** One way to drive an agent program; one file per adapter in agents/. */
export interface AgentAdapter {
  readonly name: string;
  /** Problem with this profile, or `null` when it can run here. Checked before a run starts. */
  check(profile: AgentProfile): string | null;
  start(invocation: AgentInvocation): Promise<AgentSession>;
}
