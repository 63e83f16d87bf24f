import type { Access, Resource } from '../model/access';
import { parseGlob } from './glob-pattern';
import { accessSetsOverlap, splitExclusions } from './path-overlap';

/** Why two tasks may not run at the same time; the first reason that holds, in this order. */
export type ConflictReason = 'write/write' | 'read/write' | 'resource';

/** What two tasks can compete for. */
export interface Claims {
  readonly access: Access;
  readonly resources: readonly Resource[];
}

/** A pair of positions in the list that was asked about, `a < b`. */
export interface ConflictPair {
  readonly a: number;
  readonly b: number;
  readonly why: ConflictReason;
}

/** Decides whether a pair is of interest, before the costly comparison of its globs. */
type Wanted = (a: number, b: number) => boolean;

interface Entry {
  readonly item: number;
  readonly writes: boolean;
}

/**
 * Every pair of items that compete for a path (at least one writes it) or for a resource (one of them
 * wants it exclusively, or the two take more than its capacity), in order of `a`, then `b`, each pair once.
 *
 * Globs are indexed by the folder they cannot leave (their literal prefix). Two globs can meet only
 * where one's folder contains the other's, so each is compared with the entries of the folders above
 * it and below it alone: the cost follows the number of real candidates, not n².
 */
export function* conflictPairs(
  items: readonly Claims[],
  wanted: Wanted = () => true,
): Generator<ConflictPair> {
  const index = indexFolders(items);
  const holders = holdersOf(items);
  for (const [a, item] of items.entries()) {
    const others = new Set<number>();
    for (const b of pathCandidates(index, item, a)) others.add(b);
    for (const { id } of item.resources) for (const b of holders.get(id) ?? []) others.add(b);
    for (const b of [...others].filter((other) => other > a).sort((x, y) => x - y)) {
      const other = items[b];
      if (other === undefined || !wanted(a, b)) continue;
      const why = conflictReason(item, other);
      if (why !== null) yield { a, b, why };
    }
  }
}

/** Why two items may not be held at once, or `null` when they may. */
export function conflictReason(a: Claims, b: Claims): ConflictReason | null {
  if (accessSetsOverlap(a.access.writes, b.access.writes)) return 'write/write';
  if (
    accessSetsOverlap(a.access.writes, b.access.reads) ||
    accessSetsOverlap(a.access.reads, b.access.writes)
  ) {
    return 'read/write';
  }
  return resourcesCompete(a.resources, b.resources) ? 'resource' : null;
}

/** `true` when one wants exclusively what the other names, or both together take more than there is. */
function resourcesCompete(a: readonly Resource[], b: readonly Resource[]): boolean {
  return a.some((one) =>
    b.some(
      (other) =>
        other.id === one.id &&
        (other.exclusive ||
          one.exclusive ||
          (one.amount ?? 1) + (other.amount ?? 1) > (one.capacity ?? other.capacity ?? Infinity)),
    ),
  );
}

function holdersOf(items: readonly Claims[]): ReadonlyMap<string, readonly number[]> {
  const holders = new Map<string, number[]>();
  items.forEach((item, position) => {
    for (const { id } of item.resources) push(holders, id, position);
  });
  return holders;
}

/** `exact`: entries of a folder itself; `within`: entries of the folder and of all folders below. */
interface FolderIndex {
  readonly exact: ReadonlyMap<string, readonly Entry[]>;
  readonly within: ReadonlyMap<string, readonly Entry[]>;
}

function indexFolders(items: readonly Claims[]): FolderIndex {
  const exact = new Map<string, Entry[]>();
  const within = new Map<string, Entry[]>();
  items.forEach((claims, item) => {
    for (const [folder, entry] of folderEntries(claims.access, item)) {
      push(exact, folder, entry);
      for (const above of [folder, ...ancestors(folder)]) push(within, above, entry);
    }
  });
  return { exact, within };
}

/** Items whose globs could meet those of item `a`, with a write on one side. */
function* pathCandidates(
  { exact, within }: FolderIndex,
  claims: Claims,
  a: number,
): Generator<number> {
  for (const [folder, own] of folderEntries(claims.access, a)) {
    const groups = [within.get(folder), ...ancestors(folder).map((above) => exact.get(above))];
    for (const group of groups) {
      for (const { item, writes } of group ?? []) if (own.writes || writes) yield item;
    }
  }
}

function* folderEntries(
  access: Access,
  item: number,
): Generator<readonly [folder: string, entry: Entry]> {
  for (const folder of foldersOf(access.writes)) yield [folder, { item, writes: true }];
  for (const folder of foldersOf(access.reads)) yield [folder, { item, writes: false }];
}

function foldersOf(globs: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const glob of splitExclusions(globs).included) {
    const patterns = parseGlob(glob);
    if (patterns === null) folders.add('');
    else for (const pattern of patterns) folders.add(pattern.prefix.join('/'));
  }
  return folders;
}

/** `a/b/c` gives `a/b`, `a` and the root, ''. */
function ancestors(folder: string): readonly string[] {
  if (folder === '') return [];
  const above: string[] = [];
  for (let at = folder.lastIndexOf('/'); at > 0; at = folder.lastIndexOf('/', at - 1)) {
    above.push(folder.slice(0, at));
  }
  return [...above, ''];
}

function push<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
