import limitConcurrency from 'p-limit';
import type { Resolution } from '../merge/resolve-conflict';
import { resolveConflict } from '../merge/resolve-conflict';
import type { RunId, TaskId } from '../model/ids';
import type { AgentProfile, Plan } from '../model/task';
import { baseToName } from './conflict-worktree';
import type { Engine } from './engine';
import { ladderOf } from './ladder-of';
import { landingStyle } from './style-of-plan';

/** The agent that settles what the conflict ladder leaves open, and what it works with. */
export interface Resolver {
  readonly profile: AgentProfile;
  /** How often it may try one conflict. */
  readonly attempts: number;
  /** Has it wait while as many are at work as its profile allows. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** What the lower rungs make of a candidate of `task`, a commit on its base, on the commit `onto`. */
  readonly merge: (task: TaskId, onto: string, candidate: string) => Promise<Resolution>;
  /** What a task was to do; `null`: no such task, or it has no words. */
  readonly promptOf: (task: string) => string | null;
}

/** The resolver of a plan; `null` when it names none, or leaves conflicts to a person. */
export function resolverOf(engine: Engine, run: RunId, plan: Plan): Resolver | null {
  const { conflicts, conflictPolicy: policy } = plan.settings;
  const profile = plan.agents.find(({ name }) => name === conflicts?.resolver);
  if (profile === undefined || policy === 'manual') return null;
  const { git } = engine.tools;
  const { root } = engine.repository;
  const { merge } = landingStyle(engine, run, plan.settings);
  const ladder = ladderOf(engine, plan);
  const prompts = new Map<string, string | null>(plan.tasks.map(({ id, prompt }) => [id, prompt]));
  return {
    profile,
    attempts: conflicts?.attempts ?? 1,
    inTurn: limitConcurrency(profile.maxParallel ?? Infinity),
    promptOf: (task) => prompts.get(task) ?? null,
    merge: async (task, onto, candidate) => {
      const [own = candidate] = (await git.objects(root).readCommit(candidate)).parents;
      const base = await baseToName(git, root, own, onto);
      return resolveConflict({
        git,
        cwd: root,
        ours: onto,
        theirs: candidate,
        ...(base === undefined ? {} : { base }),
        policy,
        merge,
        ladder: { ...ladder, task, partly: true },
      });
    },
  };
}
