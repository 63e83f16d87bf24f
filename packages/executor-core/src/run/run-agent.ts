import type { Failure } from '../model/failure';
import type { AgentInvocation } from '../ports/agent';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { AgentFiles } from './attempt-files';
import { failureOf, readTail } from './outcome';
import { pausableTimer } from './pausable-timer';
import { stopGently } from './shutdown';
import type { StopOrder } from './stop-order';

/** Time between SIGINT and SIGTERM, and again between SIGTERM and SIGKILL. */
const GRACE_MS = 2000;

/** Starts the agent and waits for its end, within its time; `null` when it is done. */
export async function runAgent(
  context: AttemptContext,
  scene: AttemptScene,
  order: StopOrder,
  files: AgentFiles,
  env: Readonly<Record<string, string>>,
): Promise<Failure | null> {
  if (order.how !== null) return { kind: 'interrupted', message: 'stopped before it started' };
  const { clock } = context;
  const { task, profile, command } = scene;
  const invocation = invocationOf(context, scene, files, env);
  const session = await context.adapterOf(profile).start(invocation);
  if (session.process !== null) {
    const { process } = session;
    const { attempt } = command;
    void context.emit({
      type: 'process:started',
      task: task.id,
      attempt,
      process,
      at: clock.now(),
    });
  }
  const stopper = stopGently(clock, session, GRACE_MS);
  const deadline = { passed: false };
  const timeout = pausableTimer(clock, task.timeoutMs, () => {
    deadline.passed = true;
    stopper.stop('interrupt');
  });
  const stopListening = order.listen(() => {
    if (order.how !== null) stopper.stop(order.how);
    else if (order.suspended) {
      timeout.pause();
      session.suspend();
    } else {
      session.resume();
      timeout.resume();
    }
  });
  const outcome = await session.ended;
  stopListening();
  timeout.cancel();
  stopper.done();
  const tail = await readTail(context.fs, invocation.transcriptPath);
  if (deadline.passed) return { kind: 'timeout', afterMs: task.timeoutMs, tail };
  return failureOf(outcome, tail);
}

function invocationOf(
  context: AttemptContext,
  { task, profile, command, worktree }: AttemptScene,
  { prompt, feedback }: AgentFiles,
  env: Readonly<Record<string, string>>,
): AgentInvocation {
  return {
    task,
    profile,
    attempt: command.attempt,
    worktree,
    prompt,
    feedback,
    env,
    transcriptPath: context.paths.task(task.id).attempt(command.attempt).transcript,
    onProgress: (percent, note) => {
      const at = context.clock.now();
      void context.emit({ type: 'task:progress', task: task.id, percent, note, at });
    },
  };
}
