import { posix } from 'node:path';

/** Code whose imports we can read. */
const READABLE = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)$/;
/** Files that tie no projects together. */
const INERT =
  /\.(?:md|mdx|txt|css|s[ac]ss|less|html?|json|ya?ml|svg|png|jpe?g|gif|webp|ico|woff2?|snap|csv|sql|graphql)$|(?:^|\/)(?:LICENSE|CHANGELOG)$/;
const SPECIFIER = /(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*(['"`])([^'"`\n]+)\1/g;

export interface TieQuestion {
  /** A git patch with `a/` and `b/` before its paths. */
  readonly patch: string;
  /** Packages from outside the workspace, by name. */
  readonly external: ReadonlySet<string>;
  /** Root of the project a path is of. */
  readonly rootOf: (path: string) => string | null;
}

/**
 * Whether a patch may tie a project to another one that it was not built from: it adds an import that
 * leads out of its project and not out of the workspace, or touches code whose imports we cannot read.
 */
export function addsTies({ patch, external, rootOf }: TieQuestion): boolean {
  let path = '';
  const added = new Map<string, string>();
  const removed = new Set<string>();
  for (const line of patch.split('\n')) {
    if (line.startsWith('+++ ') || line.startsWith('--- ')) {
      const name = pathIn(line);
      if (name === null) continue;
      if (!READABLE.test(name) && !INERT.test(name)) return true;
      path = name;
    } else if (line.startsWith('+') || line.startsWith('-')) {
      for (const [, , specifier = ''] of line.matchAll(SPECIFIER)) {
        const key = `${path}\0${specifier}`;
        if (line.startsWith('+')) added.set(key, specifier);
        else removed.add(key);
      }
    }
  }
  for (const [key, specifier] of added) {
    const from = key.slice(0, key.indexOf('\0'));
    if (!removed.has(key) && leadsOut(specifier, from, external, rootOf)) return true;
  }
  return false;
}

/** `null` for the side that has no file. git quotes odd names; such a file counts as unreadable. */
function pathIn(line: string): string | null {
  const name = line.slice(4);
  if (name === '/dev/null') return null;
  return name.startsWith('"') ? name : name.slice(2).replace(/\t$/, '');
}

function leadsOut(
  specifier: string,
  from: string,
  external: TieQuestion['external'],
  rootOf: TieQuestion['rootOf'],
): boolean {
  if (specifier.startsWith('node:')) return false;
  if (!specifier.startsWith('.')) return !external.has(packageOf(specifier));
  const target = posix.join(posix.dirname(from), specifier);
  return rootOf(target) !== rootOf(from);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
