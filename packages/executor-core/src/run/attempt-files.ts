import { agentEnvironment } from '../isolate/git-env';
import type { Failure } from '../model/failure';
import { describeFailure, failureLog } from '../model/failure';
import type { AttemptContext, AttemptScene } from './attempt-context';

/** The files an agent is started with; `feedback` is `null` on a first attempt. */
export interface AgentFiles {
  readonly prompt: string;
  readonly promptFile: string;
  readonly feedback: string | null;
  readonly feedbackFile: string | null;
}

/** Writes the prompt and, after a failure, the feedback where the agent finds them. */
export async function writeAgentFiles(
  context: AttemptContext,
  scene: AttemptScene,
): Promise<AgentFiles> {
  const { task, profile, command } = scene;
  const paths = context.paths.task(task.id).attempt(command.attempt);
  await context.fs.makeDir(paths.dir);
  const prompt = [profile.instructions, task.prompt].filter((part) => part !== null).join('\n\n');
  await context.fs.writeAtomic(paths.promptFile, prompt);
  const failure = context.lastFailure(task.id);
  const feedback = failure === null ? null : feedbackText(failure, command.attempt - 1);
  if (feedback !== null) await context.fs.writeAtomic(paths.feedbackFile, feedback);
  return {
    prompt,
    promptFile: paths.promptFile,
    feedback,
    feedbackFile: feedback === null ? null : paths.feedbackFile,
  };
}

/** What the next attempt is told about the last one. */
export function feedbackText(failure: Failure, attempt: number): string {
  const lines = [`Attempt ${attempt} failed: ${describeFailure(failure)}.`];
  if (failure.kind === 'lock-violation') {
    lines.push('', 'Files outside the write set:', ...failure.paths.map((path) => `  ${path}`));
    lines.push('', 'Allowed:', ...failure.allowed.map((glob) => `  ${glob}`));
  }
  if (failure.kind === 'conflict') {
    lines.push('', 'Start from the files as they are now; these were changed meanwhile:');
    lines.push(...failure.paths.map((path) => `  ${path}`));
  }
  const log = failureLog(failure);
  if (log !== '') lines.push('', 'End of its output:', '', log);
  return `${lines.join('\n')}\n`;
}

/** The agent's environment for one attempt. */
export function attemptEnvironment(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
): Readonly<Record<string, string>> {
  const { task, profile, command } = scene;
  return agentEnvironment({
    base: context.baseEnv,
    run: context.run,
    task: task.id,
    slot: command.slot,
    attempt: command.attempt,
    baseCommit: scene.base,
    promptFile: files.promptFile,
    feedbackFile: files.feedbackFile,
    reads: task.access.reads,
    writes: task.access.writes,
    stateRoot: context.root,
    taskEnv: task.env,
    profileEnv: profile.env,
  });
}
