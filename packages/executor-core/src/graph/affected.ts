/** Projects a change can turn red: those it touches, and what depends on them. `all`: nobody can tell. */
export type Affected = ReadonlySet<string> | 'all';

/** Whether two changes can turn the same project red; what nobody can tell about meets everything. */
export function meets(one: Affected, other: Affected): boolean {
  if (one === 'all') return other === 'all' || other.size > 0;
  if (other === 'all') return one.size > 0;
  for (const project of one) if (other.has(project)) return true;
  return false;
}

export function union(one: Affected, other: Affected): Affected {
  return one === 'all' || other === 'all' ? 'all' : new Set([...one, ...other]);
}

/** A project of the workspace: what lies below `root` is its own, except what lies in another one deeper down. */
export interface ProjectNode {
  readonly name: string;
  /** Repository path; `.` is the whole repository. */
  readonly root: string;
  /** Names of the projects it is built from. */
  readonly dependsOn: readonly string[];
}

/** Files that decide what the projects are, and how they are built: a change of one may concern any project. */
const DECISIVE =
  /(^|\/)(package\.json|project\.json|nx\.json|[^/]*lock[^/]*\.(json|yaml)|yarn\.lock|\.npmrc|tsconfig[^/]*\.json|[^/]+\.config\.[cm]?[jt]s|\.[^/]*rc(\.[^/]+)?|\.gitattributes)$/;

/**
 * Projects whose checks a change of `paths` can turn red: those that own the paths, and whatever
 * depends on them, however far away. `all` where a path is of no project or decides about projects.
 */
export function affectedProjects(
  projects: readonly ProjectNode[],
  paths: readonly string[],
): Affected {
  const dependants = new Map<string, string[]>();
  for (const { name, dependsOn } of projects) {
    for (const used of dependsOn) dependants.set(used, [...(dependants.get(used) ?? []), name]);
  }
  const affected = new Set<string>();
  for (const path of paths) {
    const owner = ownerOf(projects, path);
    if (owner === null || DECISIVE.test(path)) return 'all';
    affected.add(owner.name);
  }
  for (const name of affected) {
    for (const dependant of dependants.get(name) ?? []) affected.add(dependant);
  }
  return affected;
}

/** The project a path is of, the deepest one; `null` where it is of none. */
export function ownerOf(projects: readonly ProjectNode[], path: string): ProjectNode | null {
  let owner: ProjectNode | null = null;
  for (const project of projects) {
    if (!path.startsWith(`${project.root}/`)) continue;
    if (owner === null || project.root.length > owner.root.length) owner = project;
  }
  return owner;
}
