import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CANONICAL = '@parallel-executor/nx';
const ALIAS = 'parallel';

/**
 * The name under which the workspace has this plugin installed: the canonical package name, else the
 * alias `parallel` when that folder really holds this package (npm knows another package `parallel`).
 * Falls back to the canonical name, which Nx also resolves to a project of the workspace itself.
 */
export function installedName(workspaceRoot: string): string {
  const found = [CANONICAL, ALIAS].find((name) => packageNameAt(workspaceRoot, name) === CANONICAL);
  return found ?? CANONICAL;
}

/** The `name` in the manifest that Node would resolve `installed` to, or `null`. */
function packageNameAt(from: string, installed: string): string | null {
  const manifest = join(from, 'node_modules', installed, 'package.json');
  if (existsSync(manifest)) {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
    return typeof name === 'string' ? name : null;
  }
  const parent = dirname(from);
  return parent === from ? null : packageNameAt(parent, installed);
}
