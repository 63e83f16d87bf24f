import { agentEnvironment } from '../isolate/git-env';
import { withSecretNames } from '../model/secret-values';
import type { AgentProfile } from '../model/task';
import type { AgentInvocation } from '../ports/agent';
import type { AttemptStory } from '../report/attempt-story';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { StartingPoint } from './feedback';
import { makeStateDir } from '../store/run-dir';
import { feedbackText } from './feedback';
import { changedPaths } from './last-work';

/** The files an agent is started with; `feedback` is `null` on a first attempt. */
export interface AgentFiles {
  readonly prompt: string;
  readonly promptFile: string;
  readonly feedback: string | null;
  readonly feedbackFile: string | null;
  /** Where it may declare that nothing is to be done. */
  readonly noopFile: string;
}

/** Writes the prompt and, after a failure, the feedback where the agent finds them. Done again, it writes them anew. */
export async function writeAgentFiles(
  context: AttemptContext,
  scene: AttemptScene,
): Promise<AgentFiles> {
  const { task, profile, command, stories, start } = scene;
  const paths = context.paths.task(task.id).attempt(command.attempt);
  await makeStateDir(context, context.root, paths.dir);
  const prompt = joined(profile.instructions, task.prompt);
  await context.fs.replace(paths.promptFile, prompt);
  const feedback = await feedbackOf(context, stories, start, command.attempt);
  if (feedback !== null) await context.fs.replace(paths.feedbackFile, feedback);
  return {
    prompt,
    promptFile: paths.promptFile,
    feedback,
    feedbackFile: feedback === null ? null : paths.feedbackFile,
    noopFile: paths.noopFile,
  };
}

async function feedbackOf(
  context: AttemptContext,
  stories: readonly AttemptStory[],
  start: StartingPoint,
  attempt: number,
): Promise<string | null> {
  const last = stories.at(-1);
  if (last === undefined) return null;
  const text = feedbackText({
    stories: [...stories.slice(0, -1), last],
    attempt,
    maxRetries: context.maxRetries,
    start,
    changed: await changedPaths(context.git, context.root, last),
  });
  return context.redactor.text(text);
}

/** The agent's environment for one attempt. */
export function attemptEnvironment(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
): Readonly<Record<string, string>> {
  const { task, profile, command } = scene;
  const env = agentEnvironment({
    base: context.baseEnv,
    run: context.run,
    task: task.id,
    slot: command.slot,
    attempt: command.attempt,
    baseCommit: scene.base,
    promptFile: files.promptFile,
    feedbackFile: files.feedbackFile,
    noopFile: files.noopFile,
    costFile: context.paths.task(task.id).attempt(command.attempt).costFile,
    lastWork: scene.stories.at(-1)?.salvage ?? null,
    resumedFrom: scene.start.kind === 'resumed' ? scene.start.commit : null,
    reads: task.access.reads,
    writes: task.access.writes,
    stateRoot: context.root,
    ports: scene.ports ?? null,
    taskEnv: task.env,
    profileEnv: profile.env,
  });
  return withSecretNames(env, context.secrets);
}

/** What the agent of an attempt is started with. */
export function agentInvocation(
  context: AttemptContext,
  { task, profile, command, worktree }: AttemptScene,
  { prompt, feedback }: AgentFiles,
  env: Readonly<Record<string, string>>,
): AgentInvocation {
  const { attempt } = command;
  const transcriptPath = context.paths.task(task.id).attempt(attempt).transcript;
  const onProgress: AgentInvocation['onProgress'] = (percent, note) => {
    const at = context.clock.now();
    void context.emit({ type: 'task:progress', task: task.id, percent, note, at });
  };
  const about = { task, profile, attempt, worktree };
  return { ...about, prompt, feedback, env, transcriptPath, onProgress };
}

const HEALER_PROMPT = `An agent's attempt at the task below has failed, and you are in the worktree it left behind.
Find out why it failed, and mend what is wrong. Change as little as you can, and only files the task may
write. Say in your last lines what was wrong and what you did: the next attempt is told.
How it failed:`;

/** What a healer is started with, in the worktree of the failure that the last of `scene.stories` tells of. */
export async function healerInvocation(
  context: AttemptContext,
  scene: AttemptScene,
  healer: AgentProfile,
): Promise<AgentInvocation> {
  const { task, command, stories, start } = scene;
  const feedback = (await feedbackOf(context, stories, start, command.attempt)) ?? '';
  const prompt = joined(healer.instructions, HEALER_PROMPT, feedback, 'The task:', task.prompt);
  const said = { role: 'healer', profile: healer, prompt, feedback } as const;
  return helperInvocation(context, scene, said);
}

const RESOLVER_PROMPT = `An agent's work on the task below is done, but it conflicts with what others landed meanwhile. The
worktree holds both, as git merge leaves them: <<<<<<< ours is what has landed, >>>>>>> theirs is the task's work.
Settle the files that are in conflict so that both intentions hold, then git add (or git rm) each of them.
Keep every line that the target gained; within a conflict you may write one line that does what both sides
want instead of the two. Change no other file; leave no conflict marker.`;

/** What the resolver is started with, in a worktree with the conflict open. `brief`: what is known of it. */
export async function resolverInvocation(
  context: AttemptContext,
  scene: AttemptScene,
  resolver: AgentProfile,
  brief: string,
): Promise<AgentInvocation> {
  const feedback = context.redactor.text(brief);
  const prompt = joined(resolver.instructions, RESOLVER_PROMPT, feedback);
  const said = { role: 'resolver', profile: resolver, prompt, feedback } as const;
  return helperInvocation(context, scene, said);
}

/** By this variable an agent knows that it is to help, and how. */
const ROLE_VARIABLE = { healer: 'PARALLEL_HEALING', resolver: 'PARALLEL_RESOLVING' } as const;

interface HelperWords {
  readonly role: keyof typeof ROLE_VARIABLE;
  readonly profile: AgentProfile;
  readonly prompt: string;
  readonly feedback: string;
}

async function helperInvocation(
  context: AttemptContext,
  scene: AttemptScene,
  { role, profile, prompt, feedback }: HelperWords,
): Promise<AgentInvocation> {
  const { task, command, worktree } = scene;
  const { attempt } = command;
  const { noopFile, [role]: paths } = context.paths.task(task.id).attempt(attempt);
  const { promptFile, feedbackFile, transcript } = paths;
  await context.fs.replace(promptFile, prompt);
  await context.fs.replace(feedbackFile, feedback);
  const files: AgentFiles = { prompt, promptFile, feedback, feedbackFile, noopFile };
  const own = { ...scene, profile };
  const env = { ...attemptEnvironment(context, own, files), [ROLE_VARIABLE[role]]: '1' };
  const about = { task, profile, attempt, worktree, prompt, feedback, env };
  return { ...about, transcriptPath: transcript, onProgress: () => undefined };
}

function joined(...parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null).join('\n\n');
}
