import { join } from 'node:path';
import type { Affected, ProjectNode } from '../graph/affected';
import { affectedProjects, ownerOf } from '../graph/affected';
import { addsTies } from '../graph/new-ties';
import type { QueueItem } from '../merge/stack';
import { treeOf } from '../merge/stack';
import { changedPaths } from '../merge/trees';
import type { RunId } from '../model/ids';
import type { Plan } from '../model/task';
import type { Engine } from './engine';
import { hasNx, readProjectGraph } from './project-graph';

/** A check that looks only at what a change affects, measured from the commit it would land on. */
const LOOKS_AT_AFFECTED = /\bnx\s+affected\b/;

/**
 * Tells which projects a candidate can turn red, from Nx's project graph; `null` where lanes are off,
 * where the checks look at everything in any case, or where there is no graph. `all` for a change that
 * may itself alter the graph: a project's configuration, or an import that leads into another project.
 */
export function affectedBy(
  engine: Engine,
  run: RunId,
  { settings }: Plan,
  checks: readonly string[],
): ((item: QueueItem) => Promise<Affected>) | null {
  const mode = settings.lanes ?? 'auto';
  const scoped = checks.length > 0 && checks.every((check) => LOOKS_AT_AFFECTED.test(check));
  if (mode === 'off' || (mode === 'auto' && !scoped)) return null;
  let graph: Promise<Workspace | null> | null = null;
  return async (item) => {
    const workspace = await (graph ??= readWorkspace(engine, run));
    return workspace === null ? 'all' : affectedIn(engine, workspace, item);
  };
}

interface Workspace {
  readonly projects: readonly ProjectNode[];
  /** Packages the root `package.json` brings in. */
  readonly external: ReadonlySet<string>;
}

async function readWorkspace(engine: Engine, run: RunId): Promise<Workspace | null> {
  if (!(await hasNx(engine))) return null;
  const projects = await readProjectGraph(engine, run);
  if (projects === null) return null;
  const manifest = await engine.tools.fs.readText(join(engine.repository.root, 'package.json'));
  return { projects, external: packagesIn(manifest ?? '{}') };
}

function packagesIn(manifest: string): ReadonlySet<string> {
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string> | undefined
    >;
    return new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  } catch {
    return new Set();
  }
}

async function affectedIn(
  { tools, repository }: Engine,
  { projects, external }: Workspace,
  { candidate }: QueueItem,
): Promise<Affected> {
  if (candidate.noop) return new Set();
  const { root } = repository;
  const objects = tools.git.objects(root);
  const base = await treeOf(tools.git, root, candidate.base);
  const paths = (await changedPaths(objects, base, candidate.tree)).map(({ path }) => path);
  const affected = affectedProjects(projects, paths);
  if (affected === 'all') return affected;
  const patch = (await objects.patch(base, candidate.tree)).toString('utf8');
  const rootOf = (path: string): string | null => ownerOf(projects, path)?.root ?? null;
  return addsTies({ patch, external, rootOf }) ? 'all' : affected;
}
