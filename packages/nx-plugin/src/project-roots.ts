import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseJson } from '@nx/devkit';

/** Name given to the workspace root when neither its package.json nor its project.json names it. */
const NAMELESS_ROOT = 'workspace-root';

/** A project as its own manifests name it. `declared`: the name is written in one of them. */
export interface NamedRoot {
  readonly name: string;
  readonly declared: boolean;
}

/**
 * Folders of the workspace's projects by name, as far as manifests tell: `project.json` first, then
 * `package.json`. Projects that only another plugin infers (no manifest) are not in it.
 *
 * @param manifests `package.json` and `project.json` files, relative to `workspaceRoot`, `/`-separated.
 */
export function projectRoots(
  manifests: readonly string[],
  workspaceRoot: string,
): ReadonlyMap<string, string> {
  const roots = new Map<string, string>();
  const own = (file: string): number => (basename(file) === 'project.json' ? 0 : 1);
  for (const file of [...manifests].sort((a, b) => own(a) - own(b) || a.localeCompare(b))) {
    const root = dirname(file);
    const { name } = nameOf(workspaceRoot, root);
    if (root !== '.' && !roots.has(name)) roots.set(name, root);
  }
  return roots;
}

/** Name of the project at the workspace root. */
export function rootProject(workspaceRoot: string): NamedRoot {
  const named = nameOf(workspaceRoot, '.');
  return named.declared ? named : { name: NAMELESS_ROOT, declared: false };
}

/** Nx's own order: project.json, the `nx` block of package.json, its name, the folder. */
function nameOf(workspaceRoot: string, root: string): NamedRoot {
  const folder = join(workspaceRoot, root);
  const manifest = readManifest(join(folder, 'package.json'));
  const candidates = [
    readManifest(join(folder, 'project.json')).name,
    isRecord(manifest.nx) ? manifest.nx.name : undefined,
    manifest.name,
  ];
  const name = candidates.find((value) => typeof value === 'string' && value !== '');
  return typeof name === 'string'
    ? { name, declared: true }
    : { name: basename(root).toLowerCase(), declared: false };
}

/** A missing or damaged manifest says nothing here; Nx reports the damaged one itself. */
function readManifest(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {};
  try {
    const content: unknown = parseJson(readFileSync(path, 'utf8'));
    return isRecord(content) ? content : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
