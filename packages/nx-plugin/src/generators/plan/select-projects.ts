/** What a pattern is matched against. */
export interface SelectableProject {
  readonly name: string;
  readonly root: string;
  readonly tags: readonly string[];
}

/** The chosen projects, and the patterns that chose (or excluded) none: probably typing errors. */
export interface Selection {
  readonly projects: readonly SelectableProject[];
  readonly unmatched: readonly string[];
}

/**
 * Chooses projects the way Nx does: patterns apply in order; a name, a folder, a glob over either, or
 * `tag:<glob>`; a leading `!` takes out; a list that starts with one starts from everything. An empty
 * list chooses every project but the one at the workspace root, whose files include everyone's.
 */
export function selectProjects(
  all: readonly SelectableProject[],
  patterns: readonly string[],
): Selection {
  const libraries = all.filter((project) => project.root !== '.');
  if (patterns.length === 0) return { projects: libraries, unmatched: [] };
  const chosen = new Set(patterns[0]?.startsWith('!') === true ? libraries : []);
  const unmatched: string[] = [];
  for (const pattern of patterns) {
    const exclude = pattern.startsWith('!');
    const matches = matcherOf(exclude ? pattern.slice(1) : pattern);
    const hits = all.filter(matches);
    if (hits.length === 0) unmatched.push(pattern);
    for (const project of hits) {
      if (exclude) chosen.delete(project);
      else chosen.add(project);
    }
  }
  return { projects: all.filter((project) => chosen.has(project)), unmatched };
}

function matcherOf(pattern: string): (project: SelectableProject) => boolean {
  const tag = /^tag:(.+)$/.exec(pattern)?.[1];
  if (tag !== undefined) {
    const expression = globExpression(tag);
    return ({ tags }) => tags.some((candidate) => expression.test(candidate));
  }
  const expression = globExpression(pattern);
  return ({ name, root }) => name === pattern || expression.test(name) || expression.test(root);
}

/** `*` stops at `/`, `**` does not; every other character stands for itself. */
function globExpression(glob: string): RegExp {
  const source = glob
    .split(/(\*\*|\*)/)
    .map(
      (part) => ({ '**': '.*', '*': '[^/]*' })[part] ?? part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`);
}
