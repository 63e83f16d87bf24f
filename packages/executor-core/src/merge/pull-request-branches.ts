import type { TaskId } from '../model/ids';
import type { CommitSettings, PullRequests } from '../model/task';
import type { Git } from '../ports/git';
import { createCommitter } from './commit';
import { isAncestor } from './landed';
import { mergeInMemory } from './merge-tree';
import { treeOf } from './stack';
import { changedPaths } from './trees';

/** A task whose work is on the integration branch. */
export interface LandedTask {
  readonly task: TaskId;
  readonly dependsOn: readonly TaskId[];
  /** The commit it landed as. */
  readonly commit: string;
}

/** A branch that a pull request is made of. */
export interface RequestBranch {
  /** `null`: everything that landed. Else the task, or the first task of the lane. */
  readonly name: TaskId | null;
  readonly commit: string;
  /** Task on whose branch it stands; `null`: on the branch the run started on. */
  readonly onto: TaskId | null;
  readonly tasks: readonly TaskId[];
}

export interface BranchesRequest {
  readonly git: Git;
  readonly root: string;
  /** Commit the run started from. */
  readonly base: string;
  /** Tip of the branch that holds everything. */
  readonly tip: string;
  /** In landing order. */
  readonly landed: readonly LandedTask[];
  readonly per: PullRequests;
  readonly commit: CommitSettings;
  /** Commit of a task's branch that was pushed before: it stays as it is. */
  readonly pushed?: ReadonlyMap<TaskId, string>;
}

/** A task's changes do not merge onto what its branch is to hold. */
export class Inseparable extends Error {
  override readonly name = 'Inseparable';
  constructor(paths: readonly string[]) {
    super(`it cannot be taken apart: conflicts in ${paths.join(', ')}`);
  }
}

/**
 * Splits what landed into branches. Tasks are linked when one depends on the other or both changed the
 * same file. `lane`: a branch for each set of tasks that are linked with each other, through others too.
 * `task`: a branch for each task, on top of the latest task before it that it is linked with; what else
 * it is linked with is merged in. So no branch lacks what its work was made on, and none of the merges
 * can conflict that did not when the work landed. Rejects with `Inseparable` where one does all the same.
 */
export async function requestBranches(request: BranchesRequest): Promise<readonly RequestBranch[]> {
  const { landed, tip, per } = request;
  if (landed.length === 0) return [];
  if (per === 'run') {
    return [{ name: null, commit: tip, onto: null, tasks: landed.map(({ task }) => task) }];
  }
  const links = await linksOf(request);
  return per === 'task' ? perTask(request, links) : perLane(request, links);
}

/** Of each task, those before it that it is linked with, in landing order. */
type Links = ReadonlyMap<LandedTask, readonly LandedTask[]>;

async function linksOf({ git, root, landed }: BranchesRequest): Promise<Links> {
  const objects = git.objects(root);
  const links = new Map<LandedTask, readonly LandedTask[]>();
  const files = new Map<LandedTask, ReadonlySet<string>>();
  for (const item of landed) {
    const { tree, parents } = await objects.readCommit(item.commit);
    const before = await treeOf(git, root, parents[0] ?? item.commit);
    const changed = (await changedPaths(objects, before, tree)).map(({ path }) => path);
    const linked = [...files].flatMap(([other, theirs]) =>
      item.dependsOn.includes(other.task) || changed.some((path) => theirs.has(path))
        ? [other]
        : [],
    );
    links.set(item, linked);
    files.set(item, new Set(changed));
  }
  return links;
}

async function perTask(request: BranchesRequest, links: Links): Promise<readonly RequestBranch[]> {
  const branches = new Map<LandedTask, RequestBranch>();
  for (const [item, linked] of links) {
    const tips = linked.map((other) => branches.get(other)?.commit ?? request.base);
    const onto = linked.at(-1) ?? null;
    const commit =
      request.pushed?.get(item.task) ??
      (await carryOver(request, item, await joined(request, tips)));
    branches.set(item, { name: item.task, commit, onto: onto?.task ?? null, tasks: [item.task] });
  }
  return [...branches.values()];
}

async function perLane(request: BranchesRequest, links: Links): Promise<readonly RequestBranch[]> {
  let lanes: readonly (readonly LandedTask[])[] = [];
  for (const [item, linked] of links) {
    const mine = lanes.filter((lane) => lane.some((other) => linked.includes(other)));
    lanes = [...lanes.filter((lane) => !mine.includes(lane)), [...mine.flat(), item]];
  }
  const order = [...links.keys()];
  const branches: RequestBranch[] = [];
  for (const lane of lanes) {
    const tasks = order.filter((item) => lane.includes(item));
    let commit = request.base;
    for (const item of tasks) commit = await carryOver(request, item, commit);
    const [first] = tasks;
    const ids = tasks.map(({ task }) => task);
    if (first !== undefined) branches.push({ name: first.task, commit, onto: null, tasks: ids });
  }
  return branches;
}

/** One commit with all of `tips`: the last of them where it has the others. */
async function joined(
  { git, root, base, commit }: BranchesRequest,
  tips: readonly string[],
): Promise<string> {
  let top = tips.at(-1) ?? base;
  for (const tip of tips) {
    if (await isAncestor(git, root, tip, top)) continue;
    const tree = await cleanTree(git, root, top, tip);
    const message = 'Merge what this builds upon\n';
    top = await createCommitter(git, root, commit).commit({ tree, parents: [top, tip], message });
  }
  return top;
}

/** The task's own changes, on top of another commit. */
async function carryOver(
  { git, root, commit: settings }: BranchesRequest,
  { commit }: LandedTask,
  onto: string,
): Promise<string> {
  const [parent = commit] = (await git.objects(root).readCommit(commit)).parents;
  if (parent === onto) return commit;
  const tree = await cleanTree(git, root, onto, commit, parent);
  const message = await git.text(['show', '-s', '--format=%B', commit], { cwd: root });
  const committer = createCommitter(git, root, settings);
  return committer.commit({ tree, parents: [onto], message: `${message.trimEnd()}\n` });
}

async function cleanTree(
  git: Git,
  root: string,
  ...sides: readonly [string, string, string?]
): Promise<string> {
  const merged = await mergeInMemory(git, root, ...sides);
  if (merged.kind === 'clean') return merged.tree;
  throw new Inseparable(merged.paths);
}
