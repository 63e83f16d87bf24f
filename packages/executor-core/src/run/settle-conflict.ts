import { checkResolution } from '../merge/check-resolution';
import { linkedPlace } from '../merge/linked-worktree';
import { closeConflict, lookAtConflict, openConflict } from '../merge/open-conflict';
import type { Resolution } from '../merge/resolve-conflict';
import { treeOf } from '../merge/stack';
import type { Candidate } from '../model/event';
import type { Failure } from '../model/failure';
import { describeFailure } from '../model/failure';
import type { ResolvedPath } from '../model/resolved-path';
import { listText } from '../report/duration-text';
import type { AttemptContext, AttemptScene } from './attempt-context';
import type { AgentFiles } from './attempt-files';
import { resolverInvocation } from './attempt-files';
import { candidateMessage, produceCandidate } from './candidate-step';
import { conflictBrief } from './conflict-brief';
import type { Verdict } from './judge';
import { judgeWork } from './judge';
import { resetWork, restoreWork } from './last-work';
import type { Resolver } from './resolver';
import type { HelperSaid } from './run-helper';
import { failedHelper, runHelper } from './run-helper';
import type { StopOrder } from './stop-order';

/** Of the paths of a conflict, events name this many. */
const TOLD_PATHS = 20;

type State = Extract<Resolution, { readonly kind: 'unresolved' }>['state'];

/** What is needed to settle one conflict in one worktree. */
interface Settling {
  readonly context: AttemptContext;
  readonly scene: AttemptScene;
  readonly files: AgentFiles;
  readonly order: StopOrder;
  readonly resolver: Resolver;
  /** Commit of the candidate that is in conflict. */
  readonly candidate: string;
  /** How conflicts of that candidate had been settled before. */
  readonly before: readonly ResolvedPath[];
}

/**
 * The rung before a rerun: opens the conflict of an earlier attempt's candidate in the fresh worktree of
 * this one, and has the plan's resolver settle it, under the leases of the task and within its time. What
 * it made is judged like the work of any agent, after it was seen that it touched nothing else and lost
 * nothing that the target gained: then it is the candidate of this attempt. Otherwise the worktree is as
 * it was, and resolves with the stories for the task's own agent, the resolver's words among them. When
 * the attempt is stopped meanwhile, the next one asks the resolver again.
 */
export async function settleConflict(
  context: AttemptContext,
  scene: AttemptScene,
  files: AgentFiles,
  order: StopOrder,
): Promise<Verdict | { readonly stories: AttemptScene['stories'] }> {
  const { resolver, git, root } = context;
  const { stories, start } = scene;
  const last = stories.at(-1);
  if (start.kind !== 'conflicted' || last === undefined || resolver === null) return { stories };
  const candidate = await git.objects(root).resolve(`${start.ref}^{commit}`);
  if (candidate === null) return { stories };
  const before = last.resolved ?? [];
  const settling = { context, scene, files, order, resolver, candidate, before };
  let said: HelperSaid | null = null;
  for (let tries = 0; tries < resolver.attempts; tries += 1) {
    const made = await settleOnce(settling, said);
    if ('candidate' in made) return made;
    if (order.how !== null) return { failure: STOPPED, kept: start.ref };
    said = made.said;
    if (said === null) break;
  }
  if (said === null) return { stories };
  const healing = { healer: resolver.profile.name, role: 'resolver', ...said } as const;
  return { stories: [...stories.slice(0, -1), { ...last, healing }] };
}

const STOPPED: Failure = { kind: 'interrupted', message: 'stopped while its conflict was settled' };

/** `said`: what the resolver did and why that is nothing; `null` when it was not needed. */
type Tried = { readonly candidate: Candidate } | { readonly said: HelperSaid | null };

async function settleOnce(settling: Settling, refused: HelperSaid | null): Promise<Tried> {
  const { context, scene, resolver, candidate } = settling;
  const { git, root } = context;
  const merged = await resolver.merge(scene.task.id, scene.base, candidate);
  if (merged.kind === 'merged') return judgeMerged(settling, merged);
  const { state, resolved } = merged;
  const earlier = [...settling.before.filter(isNotIn(resolved)), ...resolved];
  const asking = { ...settling, before: earlier };
  const tried = await resolver.inTurn(() => askResolver(asking, state, refused));
  if ('said' in tried) {
    const gitDir = await gitDirOf(context, scene);
    await closeConflict({ ...context, worktree: scene.worktree, gitDir }, 'HEAD');
    await resetWork(git, scene, await treeOf(git, root, scene.base));
  }
  return tried;
}

function isNotIn(later: readonly ResolvedPath[]): (one: ResolvedPath) => boolean {
  const paths = new Set(later.map(({ path }) => path));
  return ({ path }) => !paths.has(path);
}

/** What has landed since made the conflict one that a rule settles, or none. */
async function judgeMerged(
  { context, scene, files, order, before }: Settling,
  { tree, resolved }: Extract<Resolution, { readonly kind: 'merged' }>,
): Promise<Tried> {
  await restoreWork(context.git, scene.worktree, { start: scene.start, tree });
  const settled = { ...scene, resolved: [...before, ...resolved] };
  const verdict = await judgeWork(context, settled, files, order);
  if ('candidate' in verdict) return verdict;
  await resetWork(context.git, scene, await treeOf(context.git, context.root, scene.base));
  return { said: null };
}

async function askResolver(
  settling: Settling,
  state: State,
  refused: HelperSaid | null,
): Promise<Tried> {
  const { context, scene, order, resolver } = settling;
  const { attempt } = scene.command;
  const about = { task: scene.task.id, attempt };
  const conflict = state.paths.slice(0, TOLD_PATHS);
  const healer = resolver.profile.name;
  const at = (): number => context.clock.now();
  await context.emit({ type: 'task:healing', ...about, healer, conflict, at: at() });
  const answer = await runHelper(
    context,
    async () => {
      await openHere(settling, state);
      const brief = await briefOf(settling, state, refused);
      return resolverInvocation(context, scene, resolver.profile, brief);
    },
    order,
  );
  const made =
    answer.outcome === 'failed' ? { said: answer } : await lookAt(settling, state, answer.note);
  // Cut off, it has said nothing: the next attempt asks it again.
  if (order.how !== null && 'said' in made) return made;
  const said = 'said' in made ? made.said : { outcome: 'fixed' as const, note: answer.note };
  await context.emit({ type: 'task:healed', ...about, ...said, at: at() });
  return made;
}

/** What the resolver left there: a candidate, if it is one of this conflict and its task. */
async function lookAt(
  settling: Settling,
  state: State,
  note: string,
): Promise<{ readonly candidate: Candidate } | { readonly said: HelperSaid }> {
  const { context, scene, files, order, resolver, before } = settling;
  const refuse = (reason: string) => ({ said: failedHelper(note, reason) });
  const { unmerged } = await lookAtConflict(context, scene.worktree, state.paths);
  const made = await produceCandidate(context, scene);
  if ('failure' in made) return refuse(describeFailure(made.failure));
  const { tree, noop } = made.candidate;
  const check = await checkResolution(context, state, tree);
  if ('problem' in check) return refuse(check.problem);
  if (unmerged.length > 0) return refuse(`it did not git add: ${listText(unmerged)}`);
  if (noop) return refuse('it left nothing of the work of the task');
  const gitDir = await gitDirOf(context, scene);
  await closeConflict({ ...context, worktree: scene.worktree, gitDir }, tree);
  const by = { rung: 'agent', reason: `settled by the agent ${resolver.profile.name}` } as const;
  const earlier = before.filter(({ path }) => !state.paths.includes(path));
  const settled = state.paths.map((path) => {
    const loser = check.losers.get(path);
    return { path, ...by, ...(loser === undefined ? {} : { loser }) };
  });
  const resolved = [...earlier, ...settled];
  const verdict = await judgeWork(context, { ...scene, resolved }, files, order);
  return 'candidate' in verdict ? verdict : refuse(describeFailure(verdict.failure));
}

async function openHere({ context, scene, candidate }: Settling, merge: State): Promise<void> {
  const { git, fs, redactor, run } = context;
  const { worktree } = scene;
  const gitDir = await gitDirOf(context, scene);
  const message = candidateMessage(run, scene, redactor);
  await openConflict({ git, fs, worktree, gitDir, merge, theirs: candidate, message });
}

async function briefOf(
  { context, scene, resolver, candidate }: Settling,
  { paths }: State,
  refused: HelperSaid | null,
): Promise<string> {
  const { git, root } = context;
  const [base = scene.base] = (await git.objects(root).readCommit(candidate)).parents;
  const story = { base, candidate, paths, refused: refused?.note ?? null };
  return conflictBrief({ git, root, resolver }, scene, story);
}

async function gitDirOf(
  { git, fs, root }: AttemptContext,
  { worktree }: AttemptScene,
): Promise<string> {
  const place = await linkedPlace(git, fs, root, worktree);
  if (place === null) throw new Error('the worktree is no longer a checkout of this repository');
  return place.gitDir;
}
