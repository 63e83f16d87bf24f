import type { ResolvedPath, Rung } from '../../model/resolved-path';
import type { ConflictPolicy } from '../../model/task';
import type { Git } from '../../ports/git';
import type { ConflictState, MergeSides } from '../merge-tree';
import { mergeSides } from '../merge-tree';
import { parseParts } from './merge-parts';
import type { FileVersion, PathConflict, Settled, TextConflict } from './path-conflict';
import { pathConflicts } from './path-conflict';
import { policyRung, type Winner } from './policy-rung';
import { replaceFiles, versionAt } from './replace-files';
import { isSafeResult } from './safe-result';
import { structuralRung, UNION_GLOBS } from './structural-rung';

/** What the plan says about the ladder. */
export interface LadderOptions {
  /** Rules by kind of file; default: on. */
  readonly structural?: boolean;
  /** Files whose added lines are kept from both sides, beside barrels; default: changelogs. */
  readonly union?: readonly string[];
}

export interface ClimbRequest {
  readonly git: Git;
  readonly cwd: string;
  readonly policy: ConflictPolicy;
  readonly sides: MergeSides;
  readonly state: ConflictState;
  readonly options: LadderOptions;
  /** Who wins a path by the policy; `null`: nobody. */
  readonly winner: (path: string) => Promise<Winner | null>;
}

export interface Climbed {
  readonly tree: string;
  /** At least one, by path. */
  readonly resolved: readonly ResolvedPath[];
}

interface SettledFile {
  readonly version: FileVersion;
  readonly resolved: ResolvedPath;
}

/** Files above this are nobody's source: they are left to people. */
const MAX_BYTES = 4 * 1024 * 1024;
/** As git decides what is binary. */
const LOOKED_AT = 8000;

/**
 * Settles every path in conflict by the lowest rung that can, and puts the answers into the merged tree;
 * `null` as soon as one path has none. Where files are (renames, deletions) is never decided here.
 */
export async function climb(request: ClimbRequest): Promise<Climbed | null> {
  const { git, cwd, sides, state } = request;
  const conflicts = pathConflicts(state);
  if (conflicts.length === 0 || conflicts.some(({ kind }) => kind === 'layout')) return null;
  const marked = await mergeSides(git, cwd, sides, ['merge.conflictStyle=diff3']);
  if (marked.kind === 'clean') return null;
  const files = new Map<string, SettledFile>();
  for (const conflict of conflicts) {
    const file = await settlePath(request, conflict, marked.tree);
    if (file === null) return null;
    files.set(conflict.path, file);
  }
  const versions = new Map([...files].map(([path, { version }]) => [path, version]));
  const tree = await replaceFiles(git.objects(cwd), state.tree, versions);
  return tree === null
    ? null
    : { tree, resolved: [...files.values()].map((file) => file.resolved) };
}

async function settlePath(
  request: ClimbRequest,
  conflict: PathConflict,
  markedTree: string,
): Promise<SettledFile | null> {
  const { git, cwd, sides } = request;
  const objects = git.objects(cwd);
  const at = await versionAt(objects, markedTree, conflict.path);
  if (at === null) return null;
  if (conflict.kind === 'whole') return takeWhole(request, conflict);
  const read = (version: FileVersion | null): Promise<string> | null =>
    version === null ? null : objects.readBlob(version.id).then((blob) => blob.toString('latin1'));
  const [base, ours, theirs, marked] = await Promise.all(
    [conflict.base, conflict.ours, conflict.theirs, at].map(read),
  );
  if (ours == null || theirs == null || marked == null) return null;
  if (![base ?? '', ours, theirs].every(isText)) return takeWhole(request, conflict);
  const parts = parseParts(marked, sides);
  const text = { path: conflict.path, base: base ?? null, ours, theirs, parts };
  const found = await settleText(request, text);
  if (found === null) return null;
  const { rung, settled } = found;
  const id = await objects.writeBlob(Buffer.from(settled.content, 'latin1'));
  const lost = settled.loser === undefined ? null : conflict[settled.loser];
  return {
    version: { mode: at.mode, id },
    resolved: {
      path: conflict.path,
      rung,
      reason: settled.reason,
      ...(lost === null ? {} : { loser: lost.id }),
    },
  };
}

async function settleText(
  { policy, options, winner }: ClimbRequest,
  conflict: TextConflict,
): Promise<{ readonly rung: Rung; readonly settled: Settled } | null> {
  if (policy === 'manual') return null;
  if (options.structural !== false) {
    const settled = structuralRung(conflict, options.union ?? UNION_GLOBS);
    if (settled !== null && isSafeResult(conflict, settled)) return { rung: 'structural', settled };
  }
  const chosen = await winner(conflict.path);
  const settled = chosen === null ? null : policyRung(conflict, chosen);
  if (settled === null || !isSafeResult(conflict, settled)) return null;
  return { rung: 'policy', settled };
}

/** What has no lines goes to the winner as it is. */
async function takeWhole(
  { winner }: ClimbRequest,
  { path, ours, theirs }: PathConflict,
): Promise<SettledFile | null> {
  const chosen = await winner(path);
  if (chosen === null || ours === null || theirs === null) return null;
  const [version, lost] = chosen.side === 'ours' ? [ours, theirs] : [theirs, ours];
  return { version, resolved: { path, rung: 'policy', reason: chosen.reason, loser: lost.id } };
}

function isText(content: string): boolean {
  return content.length <= MAX_BYTES && !content.slice(0, LOOKED_AT).includes('\0');
}
