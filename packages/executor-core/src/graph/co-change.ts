import { compileAccess } from './access-matcher';
import { parseGlob } from './glob-pattern';
import { splitExclusions } from './path-overlap';

/** Larger commits are left out, as the source does: a change of everything says nothing about two files. */
const MOST_PATHS = 30;
/** Fewer common commits are chance. */
const LEAST_SUPPORT = 3;

/** Two sets of globs (positions in the list asked about, `a < b`) whose files are changed together. */
export interface CoChange {
  readonly a: number;
  readonly b: number;
  /** Commits that touched both. */
  readonly together: number;
  /** Commits that touched the one that is touched less often. */
  readonly rarer: number;
}

/**
 * How often the files of two sets of globs were changed by the same commit. `commits`: the paths each of
 * them touched. A pair is reported from three common commits on; `together / rarer` is the larger
 * confidence of the two rules "who changes the one changes the other" (Zimmermann, Weißgerber, Diehl,
 * Zeller: Mining version histories to guide software changes, ICSE 2004). In order of `a`, then `b`.
 */
export function coChanges(
  sets: readonly (readonly string[])[],
  commits: readonly (readonly string[])[],
): readonly CoChange[] {
  const setsOf = setFinder(sets);
  const counts: number[] = sets.map(() => 0);
  const pairs = new Map<number, number>();
  for (const paths of commits) {
    if (paths.length > MOST_PATHS) continue;
    const touched = [...new Set(paths.flatMap(setsOf))].sort((one, other) => one - other);
    if (touched.length > MOST_PATHS) continue;
    touched.forEach((a, at) => {
      counts[a] = (counts[a] ?? 0) + 1;
      for (const b of touched.slice(at + 1)) {
        const key = a * sets.length + b;
        pairs.set(key, (pairs.get(key) ?? 0) + 1);
      }
    });
  }
  return [...pairs]
    .filter(([, together]) => together >= LEAST_SUPPORT)
    .sort(([one], [other]) => one - other)
    .map(([key, together]) => {
      const [a, b] = [Math.floor(key / sets.length), key % sets.length];
      return { a, b, together, rarer: Math.min(counts[a] ?? 0, counts[b] ?? 0) };
    });
}

/** Finds the sets a path is in, by the folders their globs cannot leave: not every set is asked. */
function setFinder(sets: readonly (readonly string[])[]): (path: string) => readonly number[] {
  const byFolder = new Map<string, Set<number>>();
  sets.forEach((globs, set) => {
    for (const glob of splitExclusions(globs).included) {
      for (const { prefix } of parseGlob(glob) ?? [{ prefix: [] }]) {
        const folder = prefix.join('/');
        byFolder.set(folder, (byFolder.get(folder) ?? new Set()).add(set));
      }
    }
  });
  const matchers: ((path: string) => boolean)[] = [];
  const known = new Map<string, readonly number[]>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const found = new Set<number>();
    for (const folder of foldersAround(path)) {
      for (const set of byFolder.get(folder) ?? []) {
        const matches = (matchers[set] ??= compileAccess(sets[set] ?? []));
        if (matches(path)) found.add(set);
      }
    }
    const answer = [...found];
    known.set(path, answer);
    return answer;
  };
}

/** `a/b` gives `a/b`, `a` and the root, ''. */
function foldersAround(path: string): readonly string[] {
  const folders = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    folders.push(path.slice(0, at));
  }
  return [...folders, ''];
}
