import { join } from 'node:path';
import type { ProjectNode } from '../graph/affected';
import { checkEnvironment } from '../isolate/git-env';
import type { RunId } from '../model/ids';
import { runPaths } from '../store/run-dir';
import type { Engine } from './engine';
import { runProgram } from './run-program';

/** Nx may have to parse every file first. */
const PATIENCE_MS = 120_000;

/** Whether the checkout is an Nx workspace whose Nx is installed. */
export async function hasNx({ tools, repository }: Engine): Promise<boolean> {
  const { root } = repository;
  const isWorkspace = (await tools.files.kind(join(root, 'nx.json'))) !== null;
  return isWorkspace && (await tools.files.kind(nxProgram(root))) !== null;
}

/**
 * The projects of the checkout as its Nx sees them, in a process of its own; `null` where it has none or
 * does not answer. What one process of a run has found out, the others read.
 */
export async function readProjectGraph(
  engine: Engine,
  run: RunId,
): Promise<readonly ProjectNode[] | null> {
  const file = join(runPaths(engine.repository.root, run).dir, 'project-graph.json');
  const { fs } = engine.tools;
  const known = await fs.readText(file);
  const text = known ?? ((await askNx(engine, run, file)) ? await fs.readText(file) : null);
  return text === null ? null : parseProjectGraph(text);
}

async function askNx({ tools, repository }: Engine, run: RunId, file: string): Promise<boolean> {
  const { root } = repository;
  const argv = [nxProgram(root), 'graph', `--file=${file}`];
  const outputPath = join(runPaths(root, run).dir, 'project-graph.log');
  const spec = { argv, cwd: root, env: checkEnvironment(tools.env, ''), outputPath };
  return (await runProgram(tools, spec, PATIENCE_MS))?.code === 0;
}

function nxProgram(root: string): string {
  return join(root, 'node_modules/.bin/nx');
}

interface NxGraph {
  readonly nodes: Readonly<Record<string, { readonly data: { readonly root: string } }>>;
  readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
}

/** Reads what `nx graph --file` writes, or what Nx keeps for itself; `null` when it has another form. */
export function parseProjectGraph(text: string): readonly ProjectNode[] | null {
  try {
    const read = JSON.parse(text) as NxGraph | { readonly graph: NxGraph };
    const { nodes, dependencies } = 'graph' in read ? read.graph : read;
    return Object.entries(nodes).map(([name, { data }]) => ({
      name,
      root: data.root,
      dependsOn: (dependencies[name] ?? []).map(({ target }) => target),
    }));
  } catch {
    return null;
  }
}
