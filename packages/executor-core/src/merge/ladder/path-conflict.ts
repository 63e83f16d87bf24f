import type { ConflictState } from '../merge-tree';

/** One version of a path. */
export interface FileVersion {
  /** Blob id; of a submodule its commit. */
  readonly id: string;
  readonly mode: string;
}

/** One path in conflict; `null`: that side has no such file. */
export interface PathConflict {
  readonly path: string;
  readonly base: FileVersion | null;
  readonly ours: FileVersion | null;
  readonly theirs: FileVersion | null;
  /** `content`: both sides have the file, and only what is in it is in question. */
  readonly kind: 'content' | 'whole' | 'layout';
}

/** A path in conflict about text, with what is in its versions (one character per byte). */
export interface TextConflict {
  readonly path: string;
  readonly base: string | null;
  readonly ours: string;
  readonly theirs: string;
  /** The merge as git sees it; `null` where its markers cannot be told from the text. */
  readonly parts: readonly MergePart[] | null;
}

/** A piece of a merged file: settled text, or a hunk with three versions. Lines end with their newline. */
export type MergePart =
  | { readonly kind: 'merged'; readonly lines: readonly string[] }
  | {
      readonly kind: 'hunk';
      readonly base: readonly string[];
      readonly ours: readonly string[];
      readonly theirs: readonly string[];
    };

/** What a rung makes of a path: the whole file, and why. `loser`: the side that lost something. */
export interface Settled {
  readonly content: string;
  readonly reason: string;
  readonly loser?: 'ours' | 'theirs';
}

const CONTENTS = 'CONFLICT (contents)';
const BINARY = 'CONFLICT (binary)';
const REGULAR = /^100[67]/;

/**
 * The paths of a merge in conflict. `content`: both sides have a regular file. `whole`: both have
 * something there that has no lines (binary, link, submodule), so that only one can win. `layout`: what
 * is where is itself in question (renames, deletions, a file against a folder).
 */
export function pathConflicts(state: ConflictState): readonly PathConflict[] {
  const kinds = new Map<string, Set<string>>();
  for (const { type, paths } of state.notes.filter((note) => note.type.startsWith('CONFLICT'))) {
    for (const path of paths) kinds.set(path, (kinds.get(path) ?? new Set()).add(type));
  }
  const all = new Set([...state.paths, ...kinds.keys()]);
  return [...all].sort().map((path) => {
    const version = (stage: number): FileVersion | null =>
      state.entries.find((entry) => entry.path === path && entry.stage === stage) ?? null;
    const [base, ours, theirs] = [version(1), version(2), version(3)];
    const kind = kindOf([base, ours, theirs], kinds.get(path) ?? new Set());
    return { path, base, ours, theirs, kind };
  });
}

function kindOf(
  [base, ours, theirs]: readonly (FileVersion | null)[],
  said: ReadonlySet<string>,
): PathConflict['kind'] {
  if (!ours || !theirs) return 'layout';
  const versions = base ? [base, ours, theirs] : [ours, theirs];
  const isRegular = versions.every(({ mode }) => REGULAR.test(mode));
  const types = [...said];
  if (isRegular && types.every((type) => type === CONTENTS)) return 'content';
  const settles = (type: string): boolean =>
    type === CONTENTS || type === BINARY || type.startsWith('CONFLICT (submodule');
  const oneKind = isRegular || new Set(versions.map(({ mode }) => mode)).size === 1;
  return oneKind && types.every(settles) ? 'whole' : 'layout';
}
