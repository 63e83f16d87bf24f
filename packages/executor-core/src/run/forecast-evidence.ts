import { join, resolve } from 'node:path';
import type { ForecastEvidence } from '../graph/conflict-forecast';
import { parseProjectGraph } from './project-graph';
import type { Toolbox } from './toolbox';

const MOST_COMMITS = 1000;
/** Stands before the paths of each commit; no path begins with it. */
const COMMIT = '//';

/**
 * What the repository tells about any plan: the paths of its last 1,000 commits, by one git, and the
 * project graph that Nx left on disk when it last ran here (Nx itself is not started: it may take
 * minutes). What cannot be had is left out.
 */
export async function forecastEvidence(
  { git, fs, env }: Pick<Toolbox, 'git' | 'fs' | 'env'>,
  root: string,
): Promise<ForecastEvidence> {
  const filter = ['--no-merges', '--no-renames', '-n', `${MOST_COMMITS}`];
  const args = ['log', ...filter, '--name-only', '-z', `--format=tformat:${COMMIT}`, 'HEAD'];
  const [log, projects] = await Promise.all([
    git.run(args, { cwd: root }),
    fs.readText(join(dataFolder(env, root), 'project-graph.json')),
  ]);
  return {
    commits: log.exitCode === 0 ? parseLog(log.stdout) : [],
    projects: projects === null ? null : parseProjectGraph(projects),
  };
}

/** Where Nx keeps what it knows of a workspace. */
function dataFolder(env: Toolbox['env'], root: string): string {
  return resolve(root, env['NX_WORKSPACE_DATA_DIRECTORY'] ?? '.nx/workspace-data');
}

/** Reads `git log --name-only -z --format=//`: `// NUL (LF PATH NUL PATH NUL …)?` for each commit. */
export function parseLog(stdout: string): readonly (readonly string[])[] {
  const commits: string[][] = [];
  for (const field of stdout.split('\0')) {
    const text = field.replace(/^\n/, '');
    if (text === COMMIT) commits.push([]);
    else if (text !== '') commits.at(-1)?.push(text);
  }
  return commits;
}
