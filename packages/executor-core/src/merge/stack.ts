import type { Candidate } from '../model/event';
import type { TaskId } from '../model/ids';
import type { ResolvedPath } from '../model/resolved-path';
import type { ConflictPolicy } from '../model/task';
import type { Git } from '../ports/git';
import { createCommitter } from './commit';
import type { LandingStyle } from './landing-style';
import { isAncestor } from './landed';
import type { Ladder, Resolution } from './resolve-conflict';
import { resolveConflict } from './resolve-conflict';
import { withResolved } from './trailers';
import { mergeDisjoint } from './trees';

/** A candidate that waits to land. */
export interface QueueItem {
  readonly task: TaskId;
  readonly attempt: number;
  readonly candidate: Candidate;
  /** Message of the commit that lands, from `commitMessage` with the candidate's commit id. */
  readonly message: string;
}

/** One candidate in the stack: the tip of the integration branch if everything up to it landed. */
export interface Layer {
  readonly item: QueueItem;
  readonly commit: string;
  readonly tree: string;
  /** It changes nothing on top of the layers below: there is no commit of its own. */
  readonly noop: boolean;
  /** What was in conflict with the layers below, or with what has landed, and how it was settled. */
  readonly resolved: readonly ResolvedPath[];
}

export interface Conflicted {
  readonly item: QueueItem;
  readonly paths: readonly string[];
}

export interface Stack {
  readonly layers: readonly Layer[];
  /** In conflict with what has landed, whatever becomes of the layers. */
  readonly conflicts: readonly Conflicted[];
}

export interface StackRequest {
  readonly git: Git;
  readonly root: string;
  /** Commit to build on. */
  readonly tip: string;
  readonly items: readonly QueueItem[];
  readonly policy: ConflictPolicy;
  /** How the plan wants changes merged and committed. */
  readonly style?: LandingStyle | undefined;
  /** The rungs above a clean merge; without them none is tried. */
  readonly ladder?: Ladder | undefined;
  /** `tip` is a layer that may yet fall. */
  readonly onLayer?: boolean;
}

/**
 * Merges `items`, in their order, on top of `tip`: one commit each, in memory, whose first parent is the
 * one before. How conflicts were settled is told in trailers. An item in conflict with a layer below it
 * that no rule settles is left out: it is judged when that layer has landed or was evicted, and a policy
 * chooses only then. With at least one item there is at least one layer or conflict, on a tip that has landed.
 */
export async function buildStack(request: StackRequest): Promise<Stack> {
  const { git, root, tip, items } = request;
  const committer = createCommitter(git, root, request.style?.commit);
  const contains = ancestry(git, root, tip);
  const layers: Layer[] = [];
  const conflicts: Conflicted[] = [];
  let top = {
    commit: tip,
    tree: await treeOf(git, root, tip),
    changed: request.onLayer === true,
  };
  for (const item of items) {
    const baseIsInside = await contains(item.candidate.base);
    const resolved = await mergeItem(request, item, top, baseIsInside);
    if (resolved.kind === 'unresolved') {
      if (!top.changed) conflicts.push({ item, paths: resolved.paths });
      continue;
    }
    const { tree } = resolved;
    const noop = tree === top.tree;
    const settled = [...(item.candidate.resolved ?? []), ...resolved.resolved];
    const message = withResolved(item.message, settled);
    // A base that the tip lacks would bring back commits that somebody removed.
    const second = request.style?.mergeCommits === true && baseIsInside;
    const parents = second ? [top.commit, item.candidate.commit] : [top.commit];
    const commit = noop ? top.commit : await committer.commit({ tree, parents, message });
    top = { commit, tree, changed: top.changed || !noop };
    layers.push({ item, commit, tree, noop, resolved: settled });
  }
  return { layers, conflicts };
}

/** The tree id of a commit. */
export async function treeOf(git: Git, root: string, commit: string): Promise<string> {
  return (await git.objects(root).readCommit(commit)).tree;
}

async function mergeItem(
  { git, root, policy, style, ladder }: StackRequest,
  { task, candidate }: QueueItem,
  top: { readonly commit: string; readonly tree: string; readonly changed: boolean },
  baseIsInside: boolean,
): Promise<Resolution> {
  if (candidate.noop) return { kind: 'merged', tree: top.tree, resolved: [] };
  const base = await treeOf(git, root, candidate.base);
  const trees = { base, ours: top.tree, theirs: candidate.tree };
  const disjoint = await mergeDisjoint(git.objects(root), trees);
  if (disjoint !== null) return { kind: 'merged', tree: disjoint, resolved: [] };
  const merge = style?.merge;
  const sides = { git, cwd: root, policy, merge, ours: top.commit, theirs: candidate.commit };
  // With a base the tip does not have (it was rewritten), git's own merge base would bring back
  // commits that somebody removed.
  const from = baseIsInside ? {} : { base: candidate.base };
  if (ladder === undefined) return resolveConflict({ ...sides, ...from });
  const withoutPolicy = top.changed;
  return resolveConflict({ ...sides, ...from, ladder: { ...ladder, task, withoutPolicy } });
}

/** Whether the tip has a commit in its history; asked once per commit, since most share their base. */
function ancestry(git: Git, root: string, tip: string): (base: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (base) => {
    const answer = known.get(base) ?? isAncestor(git, root, base, tip);
    known.set(base, answer);
    return answer;
  };
}
