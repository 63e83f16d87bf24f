import type { Task } from '../model/task';
import type { AgentAdapter, AgentInvocation, AgentSession } from '../ports/agent';

/** What an agent function is told beside its task. */
export interface AgentContext {
  /** Absolute path of its worktree; the only place it should write to. */
  readonly worktree: string;
  readonly attempt: number;
  readonly prompt: string;
  readonly feedback: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** Aborted when the attempt is stopped, killed or timed out. */
  readonly signal: AbortSignal;
  /** Reports per cent done (0..100) and what it is doing. */
  progress(percent: number | null, note?: string): void;
}

/** An agent written in JavaScript. Returning means done; throwing means the attempt failed. */
export type AgentFunction = (task: Task, context: AgentContext) => unknown;

/** Runs functions of the embedding program as agents; `functions` maps profile names to them. */
export function functionAgent(functions: Readonly<Record<string, AgentFunction>>): AgentAdapter {
  const functionOf = (name: string): AgentFunction | undefined =>
    Object.hasOwn(functions, name) ? functions[name] : undefined;
  return {
    name: 'function',
    check: (profile) =>
      functionOf(profile.name) === undefined
        ? `agent ${profile.name} is not a function here`
        : null,
    start: (invocation) =>
      Promise.resolve(startFunction(functionOf(invocation.profile.name), invocation)),
  };
}

function startFunction(
  agent: AgentFunction | undefined,
  invocation: AgentInvocation,
): AgentSession {
  const abort = new AbortController();
  const context: AgentContext = {
    worktree: invocation.worktree,
    attempt: invocation.attempt,
    prompt: invocation.prompt,
    feedback: invocation.feedback,
    env: invocation.env,
    signal: abort.signal,
    progress: (percent, note = '') => {
      invocation.onProgress(percent, note);
    },
  };
  const work = new Promise((resolve) => {
    resolve(agent?.(invocation.task, context));
  });
  let giveUp = (): void => undefined;
  const abandoned = new Promise<'abandoned'>((resolve) => {
    giveUp = () => {
      resolve('abandoned');
    };
  });
  return {
    process: null,
    ended: Promise.race([work.then(() => 'done' as const), abandoned]).then(
      (how) => (how === 'done' ? { kind: 'done' } : { kind: 'signal', signal: 'SIGKILL' }),
      (error: unknown) => ({
        kind: 'error',
        message: error instanceof Error ? error.message : String(error),
      }),
    ),
    stop: (how) => {
      abort.abort();
      // A function cannot be killed: it is no longer waited for.
      if (how === 'kill') giveUp();
    },
    suspend: () => undefined,
    resume: () => undefined,
  };
}
