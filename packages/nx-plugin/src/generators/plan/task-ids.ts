import { nameProblem, taskIdProblem } from '@parallel-executor/core';

const LONGEST = 64;

/**
 * A valid, unique task id for each project name, in order: `@scope/ui` becomes `scope-ui`; a name that
 * is taken (or reserved) already gets `-2`, `-3`, ….
 */
export function taskIds(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const ids = new Map<string, string>();
  for (const name of names) {
    const id = freeId(sanitise(name), taken);
    taken.add(id.toLowerCase());
    ids.set(name, id);
  }
  return ids;
}

function sanitise(name: string): string {
  const id = name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, LONGEST)
    .replace(/(\.lock)+$/i, '-lock')
    .replace(/[.-]+$/, '');
  return nameProblem(id) === null ? id : 'project';
}

/** Compared without case: ids name branches and folders, also on file systems that ignore case. */
function freeId(wanted: string, taken: ReadonlySet<string>): string {
  let id = wanted;
  for (let n = 2; taken.has(id.toLowerCase()) || taskIdProblem(id) !== null; n++) {
    const suffix = `-${n}`;
    id =
      (taskIdProblem(wanted) === null ? wanted : `project-${wanted}`).slice(
        0,
        LONGEST - suffix.length,
      ) + suffix;
  }
  return id;
}
