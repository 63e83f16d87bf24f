import type { Ladder } from '../merge/resolve-conflict';
import type { Plan } from '../model/task';
import type { Engine } from './engine';
import { entityMerge } from './entity-merge';
import type { LadderTools } from './ladder-tools';
import { recallResolution } from './recall-resolution';
import { regenerateLockfile } from './regenerate-lockfile';

/** The conflict ladder of a run: what the plan says of it, and the programs of this machine. */
export function ladderOf({ tools, repository }: Engine, plan: Plan): Ladder {
  const { conflicts } = plan.settings;
  const { root, commonDir } = repository;
  const context: LadderTools = { ...tools, root, commonDir };
  const priorities = new Map<string, number>(plan.tasks.map(({ id, priority }) => [id, priority]));
  return {
    structural: conflicts?.structural ?? true,
    ...(conflicts?.union === undefined ? {} : { union: conflicts.union }),
    ...(conflicts?.rerere === false ? {} : { recall: recallResolution(context) }),
    ...(conflicts?.entity === false ? {} : { entity: entityMerge(context) }),
    regenerate: regenerateLockfile(context),
    priorityOf: (task) => priorities.get(task) ?? null,
  };
}
