import type { GitObjects, TreeEntry } from '../ports/git';

/** One path that differs between two trees. `mode` is the new one, zeros for a deleted path. */
export interface PathChange {
  readonly path: string;
  readonly mode: string;
}

const FOLDER = '40000';
const DELETED = '000000';

/**
 * Every file that differs from tree `from` to tree `to`, in the order of their paths' bytes; `null` stands for no tree.
 * Renames are a deletion and an addition. Paths are read as UTF-8.
 */
export async function changedPaths(
  objects: GitObjects,
  from: string,
  to: string,
): Promise<readonly PathChange[]> {
  const changes = [...(await compare(objects, from, to, ''))];
  changes.sort((one, other) => (one.path < other.path ? -1 : 1));
  return changes.map(({ path, mode }) => ({
    path: Buffer.from(path, 'latin1').toString('utf8'),
    mode,
  }));
}

async function compare(
  objects: GitObjects,
  from: string | null,
  to: string | null,
  folder: string,
): Promise<readonly PathChange[]> {
  if (from === to) return [];
  const before = await entriesOf(objects, from);
  const after = await entriesOf(objects, to);
  const changes: PathChange[] = [];
  for (const name of namesIn(before, after)) {
    const old = before.get(name);
    const now = after.get(name);
    if (sameEntry(old, now)) continue;
    const path = folder + name;
    if (isFile(old) && !isFile(now)) changes.push({ path, mode: DELETED });
    if (isFile(now)) changes.push({ path, mode: now.mode });
    changes.push(...(await compare(objects, folderId(old), folderId(now), `${path}/`)));
  }
  return changes;
}

export interface ThreeTrees {
  readonly base: string | null;
  readonly ours: string;
  readonly theirs: string;
}

/**
 * The three-way merge of trees whose sides never touch the same path; `null` where they do, which is
 * for git to settle. It gives what git's own merge gives: a rename on one side matters to a merge only
 * where the other side touched its source, its target or the renamed folder, and each of these is a
 * path both sides touched, if only both by deleting it.
 */
export async function mergeDisjoint(
  objects: GitObjects,
  trees: ThreeTrees,
): Promise<string | null> {
  return trees.ours === trees.theirs ? trees.ours : mergeFolder(objects, trees);
}

async function mergeFolder(
  objects: GitObjects,
  { base, ours, theirs }: ThreeTrees,
): Promise<string | null> {
  if (theirs === base) return ours;
  if (ours === base) return theirs;
  const sides = [
    await entriesOf(objects, base),
    await entriesOf(objects, ours),
    await entriesOf(objects, theirs),
  ] as const;
  const merged: TreeEntry[] = [];
  for (const name of namesIn(...sides)) {
    const entry = await mergeEntry(objects, ...(sides.map((side) => side.get(name)) as Versions));
    if (entry === 'overlap') return null;
    if (entry !== undefined) merged.push({ ...entry, name });
  }
  return objects.writeTree(merged);
}

type Version = TreeEntry | undefined;
type Versions = [Version, Version, Version];

async function mergeEntry(
  objects: GitObjects,
  base: Version,
  ours: Version,
  theirs: Version,
): Promise<Version | 'overlap'> {
  if (sameEntry(base, theirs)) return ours;
  if (sameEntry(base, ours)) return theirs;
  const [below, left, right] = [folderId(base), folderId(ours), folderId(theirs)];
  const wasFile = base !== undefined && below === null;
  if (left === null || right === null || wasFile) return 'overlap';
  const id = await mergeFolder(objects, { base: below, ours: left, theirs: right });
  if (id === null || ours === undefined) return 'overlap';
  // git keeps no empty folders: both sides together emptied this one.
  return (await objects.readTree(id)).length === 0 ? undefined : { ...ours, id };
}

async function entriesOf(
  objects: GitObjects,
  tree: string | null,
): Promise<ReadonlyMap<string, TreeEntry>> {
  const entries = tree === null ? [] : await objects.readTree(tree);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function namesIn(...sides: readonly ReadonlyMap<string, TreeEntry>[]): readonly string[] {
  return [...new Set(sides.flatMap((side) => [...side.keys()]))];
}

function sameEntry(a: Version, b: Version): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}

function isFile(entry: Version): entry is TreeEntry {
  return entry !== undefined && entry.mode !== FOLDER;
}

function folderId(entry: Version): string | null {
  return entry?.mode === FOLDER ? entry.id : null;
}
