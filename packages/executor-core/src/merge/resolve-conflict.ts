import type { ResolvedPath } from '../model/resolved-path';
import type { ConflictPolicy } from '../model/task';
import type { Git } from '../ports/git';
import type { Climbed, LadderOptions } from './ladder/climb';
import { climb } from './ladder/climb';
import { winnerOf } from './ladder/winner';
import type { ConflictState } from './merge-tree';
import type { Merger } from './merge-strategy';
import { mergeInMemory, sidesOf } from './merge-tree';

export interface ResolveRequest {
  readonly git: Git;
  readonly cwd: string;
  /** Commit to land on. */
  readonly ours: string;
  /** Candidate commit. */
  readonly theirs: string;
  /** Base of the candidate, when `ours` does not contain it: its own changes are carried over. */
  readonly base?: string;
  readonly policy: ConflictPolicy;
  /** How the plan wants changes to be merged; by default as git does. */
  readonly merge?: Merger | undefined;
  /** The rungs above a clean merge; without them none is tried. */
  readonly ladder?: Ladder | undefined;
}

export interface Ladder extends LadderOptions {
  /** Priority by task, for the policy `priority`; `null`: no such task. */
  readonly priorityOf?: (task: string) => number | null;
  /** Task of the candidate. */
  readonly task?: string;
  /** What rungs can settle is settled also where something stays open, for whoever settles that. */
  readonly partly?: boolean;
  /** The policy does not choose: what is below may not land. */
  readonly withoutPolicy?: boolean;
}

export type Resolution =
  /** `resolved`: the paths that were in conflict; none after a clean merge. */
  | { readonly kind: 'merged'; readonly tree: string; readonly resolved: readonly ResolvedPath[] }
  /** `rerun`: the task starts again from the new base; `person`: it waits for somebody's decision. */
  | {
      readonly kind: 'unresolved';
      readonly paths: readonly string[];
      readonly next: 'rerun' | 'person';
      /** The versions in conflict, and a tree with git's markers; without what is in `resolved`. */
      readonly state: ConflictState;
      /** Paths that were in conflict and are settled in the tree of `state`. */
      readonly resolved: readonly ResolvedPath[];
    };

/**
 * The conflict ladder: rungs are tried in order for each path, and the merge stands when every path in
 * conflict was settled: a clean merge; rules for kinds of files; the policy; then a rerun on the new base
 * (or a person, under the policy `manual`). No rung drops a line the target gained without saying so;
 * what it yields is verified like any other merged tree.
 */
export async function resolveConflict(request: ResolveRequest): Promise<Resolution> {
  const { git, cwd, ours, theirs, base, policy, ladder, merge = mergeInMemory } = request;
  const state = await merge(git, cwd, ours, theirs, base);
  if (state.kind === 'clean') return { kind: 'merged', tree: state.tree, resolved: [] };
  if (ladder !== undefined) {
    const sides = await sidesOf(git, cwd, ours, theirs, base);
    const winner = winnerFor(request, ladder);
    const { partly = false } = ladder;
    const climbed = await climb({
      git,
      cwd,
      policy,
      sides,
      state,
      options: ladder,
      winner,
      partly,
    });
    if (climbed !== null) {
      const { tree, resolved, open } = climbed;
      if (open.length === 0) return { kind: 'merged', tree, resolved };
      return unresolved(policy, withoutSettled(state, climbed), resolved);
    }
  }
  return unresolved(policy, state, []);
}

function unresolved(
  policy: ConflictPolicy,
  state: ConflictState,
  resolved: readonly ResolvedPath[],
): Resolution {
  const next = policy === 'manual' ? 'person' : 'rerun';
  return { kind: 'unresolved', paths: state.paths, next, state, resolved };
}

/** What is left of a conflict when some of its paths are settled in `tree`. */
function withoutSettled(state: ConflictState, { tree, resolved }: Climbed): ConflictState {
  const settled = new Set(resolved.map(({ path }) => path));
  const isOpen = (path: string): boolean => !settled.has(path);
  return {
    ...state,
    tree,
    paths: state.paths.filter(isOpen),
    entries: state.entries.filter(({ path }) => isOpen(path)),
    notes: state.notes.filter(({ paths }) => paths.length === 0 || paths.some(isOpen)),
  };
}

const unknown = (): number | null => null;

function winnerFor(
  { git, cwd, ours, theirs, base, policy }: ResolveRequest,
  { priorityOf = unknown, task, withoutPolicy = false }: Ladder,
): Parameters<typeof climb>[0]['winner'] {
  return async (path) => {
    if (withoutPolicy) return null;
    const since = base ?? (await git.text(['merge-base', ours, theirs], { cwd }));
    return winnerOf(policy, path, {
      git,
      cwd,
      ours,
      theirs,
      since,
      task: task ?? null,
      priorityOf,
    });
  };
}
