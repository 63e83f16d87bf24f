import type { GitObjects, TreeEntry } from '../../ports/git';
import type { FileVersion } from './path-conflict';

const FOLDER = '40000';

/**
 * `tree` with other content at `files`, whose keys are paths in it. Resolves with `null` when one of
 * them is not there.
 */
export async function replaceFiles(
  objects: GitObjects,
  tree: string,
  files: ReadonlyMap<string, FileVersion>,
): Promise<string | null> {
  const below = new Map<string, Map<string, FileVersion>>();
  const here = new Map<string, FileVersion>();
  for (const [path, version] of files) {
    const slash = path.indexOf('/');
    if (slash < 0) here.set(latin1(path), version);
    else {
      const name = latin1(path.slice(0, slash));
      const inside = below.get(name) ?? new Map<string, FileVersion>();
      below.set(name, inside.set(path.slice(slash + 1), version));
    }
  }
  const entries = await objects.readTree(tree);
  const found = entries.filter(
    ({ name, mode }) => here.has(name) || (mode === FOLDER && below.has(name)),
  );
  if (found.length < here.size + below.size) return null;
  const changed: TreeEntry[] = [];
  for (const entry of entries) {
    const inside = below.get(entry.name);
    const version = here.get(entry.name);
    if (version !== undefined) changed.push({ ...version, name: entry.name });
    else if (inside === undefined) changed.push(entry);
    else {
      const id = await replaceFiles(objects, entry.id, inside);
      if (id === null) return null;
      changed.push({ ...entry, id });
    }
  }
  return objects.writeTree(changed);
}

/** The mode and id of a path; `null` where the tree has none. */
export async function versionAt(
  objects: GitObjects,
  tree: string,
  path: string,
): Promise<FileVersion | null> {
  const names = path.split('/').map(latin1);
  let at: FileVersion | null = { mode: FOLDER, id: tree };
  for (const name of names) {
    if (at?.mode !== FOLDER) return null;
    const entries: readonly TreeEntry[] = await objects.readTree(at.id);
    at = entries.find((entry) => entry.name === name) ?? null;
  }
  return at === null ? null : { mode: at.mode, id: at.id };
}

/** Names in trees have one character per byte. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
