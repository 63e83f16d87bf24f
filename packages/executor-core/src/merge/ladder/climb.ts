import type { ResolvedPath, Rung } from '../../model/resolved-path';
import type { ConflictPolicy } from '../../model/task';
import type { Git } from '../../ports/git';
import type { ConflictState, MergeSides } from '../merge-tree';
import { mergeSides } from '../merge-tree';
import type { HelperAnswer, LadderHelpers, TextVersions } from './ladder-helpers';
import { isLockfile } from './ladder-helpers';
import { parseParts } from './merge-parts';
import type { FileVersion, PathConflict, Settled, TextConflict } from './path-conflict';
import { pathConflicts } from './path-conflict';
import { policyRung, type Winner } from './policy-rung';
import { replaceFiles, versionAt } from './replace-files';
import { isSafeResult } from './safe-result';
import { structuralRung, UNION_GLOBS } from './structural-rung';

/** What the plan says about the ladder. */
export interface LadderOptions extends LadderHelpers {
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
  /** Settle what can be settled, also where something stays open. */
  readonly partly: boolean;
}

export interface Climbed {
  readonly tree: string;
  /** At least one, by path. */
  readonly resolved: readonly ResolvedPath[];
  /** What no rung settled, in the order of the paths; only where the request takes a part. */
  readonly open: readonly string[];
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
 * `null` as soon as one path has none, or where a part will do, when none has one. Where files are (renames,
 * deletions) is never decided here.
 */
export async function climb(request: ClimbRequest): Promise<Climbed | null> {
  const { git, cwd, sides, state, partly } = request;
  const conflicts = pathConflicts(state);
  const isLayout = ({ kind }: PathConflict): boolean => kind === 'layout';
  if (conflicts.length === 0 || (!partly && conflicts.some(isLayout))) return null;
  const marked = await mergeSides(git, cwd, sides, ['merge.conflictStyle=diff3']);
  if (marked.kind === 'clean') return null;
  const files = new Map<string, SettledFile>();
  const open: string[] = [];
  const isMade = ({ path }: PathConflict): boolean => isLockfile(path);
  // Lockfiles last: they are made from the manifests as merged.
  for (const conflict of [...conflicts].sort((a, b) => Number(isMade(a)) - Number(isMade(b)))) {
    const file = isLayout(conflict)
      ? null
      : isMade(conflict)
        ? await regenerate(request, conflict, files)
        : await settlePath(request, conflict, marked.tree);
    if (file !== null) files.set(conflict.path, file);
    else if (partly) open.push(conflict.path);
    else return null;
  }
  if (files.size === 0) return null;
  const versions = new Map([...files].map(([path, { version }]) => [path, version]));
  const tree = await replaceFiles(git.objects(cwd), state.tree, versions);
  const resolved = [...files.values()].map((file) => file.resolved);
  return tree === null ? null : { tree, resolved, open };
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
  const read = async (version: FileVersion | null): Promise<string | null> =>
    version === null ? null : (await objects.readBlob(version.id)).toString('latin1');
  const base = await read(conflict.base);
  const [ours, theirs, diff3] = [
    await read(conflict.ours),
    await read(conflict.theirs),
    await read(at),
  ];
  if (ours === null || theirs === null || diff3 === null) return null;
  if (![base ?? '', ours, theirs].every(isText)) return takeWhole(request, conflict);
  const parts = parseParts(diff3, sides);
  const text = { path: conflict.path, base, ours, theirs, parts };
  const marked = await read(await versionAt(objects, request.state.tree, conflict.path));
  const found = await settleText(request, text, marked ?? '');
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

type Found = { readonly rung: Rung; readonly settled: Settled } | null;

async function settleText(
  request: ClimbRequest,
  conflict: TextConflict,
  marked: string,
): Promise<Found> {
  for (const rung of RUNGS) {
    const settled = await rung.settle(request, conflict, marked);
    if (settled !== null && isSafeResult(conflict, settled)) return { rung: rung.name, settled };
    if (request.policy === 'manual') return null;
  }
  return null;
}

interface RungSpec {
  readonly name: Rung;
  readonly settle: (
    request: ClimbRequest,
    conflict: TextConflict,
    marked: string,
  ) => Promise<Settled | null> | Settled | null;
}

/** Lowest first. Under `manual` only the first is climbed: a person made what it gives. */
const RUNGS: readonly RungSpec[] = [
  {
    name: 'rerere',
    settle: async ({ options: { recall } }, conflict, marked) => {
      const answer = (await recall?.(versionsOf(conflict, marked))) ?? null;
      // A person decided this very conflict, with both sides before their eyes.
      return answer === null ? null : { ...asSettled(answer), loser: 'ours' };
    },
  },
  {
    name: 'structural',
    settle: ({ options: { structural, union } }, conflict) =>
      structural === false ? null : structuralRung(conflict, union ?? UNION_GLOBS),
  },
  {
    name: 'entity',
    settle: async ({ options: { entity } }, conflict, marked) => {
      const answer = (await entity?.(versionsOf(conflict, marked))) ?? null;
      return answer === null ? null : asSettled(answer);
    },
  },
  {
    name: 'policy',
    settle: async ({ winner }, conflict) => {
      const chosen = await winner(conflict.path);
      return chosen === null ? null : policyRung(conflict, chosen);
    },
  },
];

function asSettled({ content, reason }: HelperAnswer): Settled {
  return { content: content.toString('latin1'), reason };
}

function versionsOf({ path, base, ours, theirs }: TextConflict, marked: string): TextVersions {
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  return {
    path,
    base: base === null ? null : bytes(base),
    ours: bytes(ours),
    theirs: bytes(theirs),
    marked: bytes(marked),
  };
}

/** A lockfile is made anew from the manifests: what it says is not merged, and no policy chooses. */
async function regenerate(
  { git, cwd, state, policy, options }: ClimbRequest,
  { path, ours, kind }: PathConflict,
  settled: ReadonlyMap<string, SettledFile>,
): Promise<SettledFile | null> {
  const isOff = policy === 'manual' || options.structural === false;
  if (isOff || kind !== 'content' || ours === null || options.regenerate === undefined) return null;
  const objects = git.objects(cwd);
  const files = new Map([...settled].map(([name, { version }]) => [name, version]));
  const tree = await replaceFiles(objects, state.tree, files.set(path, ours));
  const answer = tree === null ? null : await options.regenerate({ path, tree });
  if (answer === null) return null;
  const id = await objects.writeBlob(answer.content);
  const { reason } = answer;
  return {
    version: { mode: ours.mode, id },
    resolved: { path, rung: 'structural', reason, loser: ours.id },
  };
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
