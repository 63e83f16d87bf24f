import { chooseWay, LARGE_REPOSITORY, type WorktreeWay } from '../isolate/worktree-way';
import { stateFolder } from '../isolate/worktree-site';
import type { Plan, Task } from '../model/task';
import { UserError } from '../model/user-error';
import type { Engine } from './engine';
import type { Toolbox } from './toolbox';
import {
  agentsAtOnce,
  checkTrees,
  fullOnesFit,
  refuseWithoutRoom,
  worktreeRoom,
  type WorktreeRoom,
} from './worktree-room';

type Where = Pick<Engine, 'repository'> & {
  readonly tools: Pick<Toolbox, 'fs' | 'mounts' | 'disk'>;
};

/** What the attempts of a run ask about their worktrees. */
export interface WorktreeWays {
  /** How the worktrees of a task come to their files. */
  readonly wayOf: (task: Task) => Promise<WorktreeWay>;
  /**
   * Whether the disk takes a second worktree for every agent: while the work of one is made a candidate,
   * the next one of its slot is at work.
   */
  readonly hasRoomForNext: () => Promise<boolean>;
}

/** Repository and disk are looked at once, before the first worktree is made. */
export function worktreeWays(where: Where, plan: Plan): WorktreeWays {
  let looked: Promise<WorktreeRoom> | null = null;
  const room = (): Promise<WorktreeRoom> => (looked ??= roomOf(where, plan));
  return {
    wayOf: async (task) => wayIn(where, plan, task, await room()),
    hasRoomForNext: async () =>
      2 * agentsAtOnce(plan) + checkTrees(plan.settings) <= (await room()).trees,
  };
}

async function wayIn(
  { tools, repository }: Where,
  plan: Plan,
  task: Task,
  room: WorktreeRoom,
): Promise<WorktreeWay> {
  const { settings } = plan;
  const { files } = room.each;
  const fullFits = fullOnesFit(room, plan);
  const choice = settings.worktrees ?? 'auto';
  const mayNeed = choice === 'auto' ? files > LARGE_REPOSITORY || !fullFits : choice !== 'full';
  const canOverlay = mayNeed && (await overlayProblem(tools, repository.commonDir)) === null;
  return chooseWay(task, settings, { files, canOverlay, fullFits });
}

function roomOf({ tools, repository }: Where, { settings }: Plan): Promise<WorktreeRoom> {
  return worktreeRoom(tools, repository, settings);
}

/** Tried in a folder that `sweepWorktrees` clears, should a kill meet the trial. */
async function overlayProblem(
  { fs, mounts }: Pick<Toolbox, 'fs' | 'mounts'>,
  commonDir: string,
): Promise<string | null> {
  await fs.makeDir(stateFolder(commonDir));
  return mounts.problem(stateFolder(commonDir));
}

/** Throws `UserError` when the plan wants overlays and none can be had, or its worktrees do not fit on the disk. */
export async function checkWorktrees(where: Where, plan: Plan): Promise<void> {
  if (plan.settings.worktrees === 'overlay') await refuseWithoutOverlay(where);
  const room = await roomOf(where, plan);
  const working = plan.tasks.filter(({ profile }) => profile !== null);
  // More than enough: no way needs more.
  if (agentsAtOnce(plan) + checkTrees(plan.settings) + 1 <= room.trees) return;
  const ways = await Promise.all(working.map((task) => wayIn(where, plan, task, room)));
  const count = (kind: WorktreeWay['kind']) => ways.filter((way) => way.kind === kind).length;
  const shown = count('overlay') > 0 ? 1 : 0;
  const full = Math.min(plan.settings.maxAgents, count('full'));
  refuseWithoutRoom(room, { full, others: checkTrees(plan.settings) + shown });
}

async function refuseWithoutOverlay({ tools, repository }: Where): Promise<void> {
  const problem = await overlayProblem(tools, repository.commonDir);
  if (problem === null) return;
  throw new UserError(
    'environment',
    `The plan sets worktrees: overlay, but ${problem}.`,
    'Run as root on Linux, or set worktrees: auto.',
  );
}
