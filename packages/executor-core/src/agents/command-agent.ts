import type { AgentAdapter, AgentInvocation, AgentOutcome, AgentSession } from '../ports/agent';
import type { Clock } from '../ports/clock';
import type { ProcessExit, ProcessRunner } from '../ports/process-runner';
import { reportReader } from './osc-progress';

/** Exit code by which an agent asks to be tried later, e.g. at a rate limit (EX_TEMPFAIL of sysexits.h). */
const TRY_LATER = 75;

/** What the adapter works with. */
export interface CommandAgentTools {
  readonly runner: Pick<ProcessRunner, 'start'>;
  readonly clock: Clock;
}

/**
 * Any program. A `command` string is a shell line the plan wrote; a list is started without a shell.
 * It may tell how far it is by OSC 9;4 on its output.
 */
export function commandAgent(tools: CommandAgentTools): AgentAdapter {
  return {
    name: 'command',
    check: (profile) =>
      profile.command === null || profile.command.length === 0
        ? `agent profile ${profile.name} has no command`
        : null,
    start: (invocation) => startCommand(tools, invocation),
  };
}

async function startCommand(
  { runner, clock }: CommandAgentTools,
  invocation: AgentInvocation,
): Promise<AgentSession> {
  const { command } = invocation.profile;
  if (command === null)
    throw new Error('Internal error: a command agent without a command was started.');
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  const reports = reportReader(clock, (percent) => {
    invocation.onProgress(percent, '');
  });
  const process = await runner.start({
    argv: invocation.confine?.(argv) ?? argv,
    cwd: invocation.worktree,
    ownFolder: invocation.worktree,
    env: invocation.env,
    stdin: invocation.prompt,
    outputPath: invocation.transcriptPath,
    onOutput: (chunk) => {
      reports.take(chunk);
    },
  });
  const signals = { interrupt: 'SIGINT', terminate: 'SIGTERM', kill: 'SIGKILL' } as const;
  return {
    process: process.identity,
    ended: process.exited.then((exit) => {
      reports.stop();
      return outcomeOf(exit);
    }),
    stop: (how) => {
      process.signal(signals[how]);
    },
    suspend: () => {
      process.signal('SIGSTOP');
    },
    resume: () => {
      process.signal('SIGCONT');
    },
  };
}

function outcomeOf(exit: ProcessExit): AgentOutcome {
  if (exit.signal !== null) return { kind: 'signal', signal: exit.signal };
  if (exit.code === 0) return { kind: 'done' };
  return exit.code === TRY_LATER ? { kind: 'try-later' } : { kind: 'exit', code: exit.code ?? 1 };
}
